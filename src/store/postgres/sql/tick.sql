-- Fires the windows that are due: the window goes, the revision counts up and the Stable* change is written, all in
-- one statement, by one at a time. What is being recorded at this moment is left for the next tick.

create function open_windows_below(p_resource bigint) returns setof open_window language sql as $$
  select w.* from resource r join open_window w on w.resource = r.id where r.parent = p_resource
  union all
  select w.* from resource r join resource s on s.parent = r.id join open_window w on w.resource = s.id
  where r.parent = p_resource
$$;

-- False: somebody else is at work on one of them.
create function try_lock_resources(p_ids bigint[]) returns boolean language plpgsql as $$
declare
  v_locked integer := 0;
begin
  perform 1 from resource where id = any (p_ids) order by id for no key update skip locked;
  get diagnostics v_locked = row_count;
  return v_locked = cardinality(p_ids);
end
$$;

-- Lets the next tick look at the windows of all that is above a resource.
create function check_ancestors(p_now bigint, p_resource bigint) returns void language sql as $$
  update open_window set check_at = p_now
  where check_at > p_now and resource in (select id from lineage(p_resource) where distance > 0)
$$;

create function fire(p_now bigint, p_resource bigint, p_trigger text) returns integer language plpgsql as $$
declare
  v_row resource;
  v_event text;
  v_newest bigint;
begin
  delete from open_window where resource = p_resource;
  -- A parent that was waiting for this one may be due before the time at which this one would have been quiet.
  if p_trigger <> 'quiet' then
    perform check_ancestors(p_now, p_resource);
  end if;
  select * into v_row from resource where id = p_resource;
  select event, newest into v_event, v_newest from stable_event(v_row, p_trigger);
  update resource set revision = revision + 1, settled_instance = greatest(settled_instance, v_newest)
  where id = p_resource;
  perform append_change(
    p_now, 4 + v_row.level, p_resource, v_row.public_id, p_resource, v_event, v_row.revision + 1, v_newest);
  return 1;
end
$$;

-- What is below goes first.
create function fire_with_descendants(p_now bigint, p_resource bigint, p_trigger text) returns integer language plpgsql as $$
declare
  v_below bigint[];
  v_each bigint;
  v_fired integer := 0;
begin
  select coalesce(array_agg(resource order by level desc, resource), '{}') into v_below
  from open_windows_below(p_resource);
  if not try_lock_resources(v_below) then
    return 0;
  end if;
  foreach v_each in array v_below loop
    v_fired := v_fired + fire(p_now, v_each, p_trigger);
  end loop;
  return v_fired + fire(p_now, p_resource, p_trigger);
end
$$;

-- Fires or re-arms one window, whose resource is locked.
-- p_announced_up_to: what is held elsewhere is known to be quiet up to then.
create function check_window(p_now bigint, p_window open_window, p_observed_since bigint, p_announced_up_to bigint)
returns integer language plpgsql as $$
declare
  -- After a pause of the ticking a window is watched for so long before it fires, or for its age if that is shorter.
  c_observation_ms constant bigint := 10000;
  v_observed_at bigint := p_observed_since + least(p_window.age_ms, c_observation_ms);
  v_quiet_at bigint := greatest(p_window.last_at + p_window.age_ms, v_observed_at);
  v_deadline_at bigint := greatest(p_window.opened_at + p_window.max_wait_ms, v_observed_at);
  v_is_held boolean;
  v_last_below bigint;
  v_held_below bigint;
begin
  if p_window.max_wait_ms is null then
    v_deadline_at := 9223372036854775807;
  end if;
  if v_quiet_at > p_now and v_deadline_at > p_now then
    update open_window set check_at = least(v_quiet_at, v_deadline_at), held_due = null
    where resource = p_window.resource;
    return 0;
  end if;
  v_is_held := p_window.elsewhere and p_announced_up_to < p_window.last_at + p_window.age_ms;
  select max(check_at), max(held_due) into v_last_below, v_held_below
  from open_windows_below(p_window.resource);
  if v_quiet_at <= p_now and not v_is_held and v_last_below is null then
    return fire(p_now, p_window.resource, 'quiet');
  end if;
  if v_deadline_at <= p_now then
    return fire_with_descendants(p_now, p_window.resource, 'deadline');
  end if;
  if v_is_held then
    return hold_window(p_window.resource, p_window.last_at + p_window.age_ms, v_deadline_at);
  end if;
  -- A parent waits for the last of its children; one tied with it is fired before it, in this tick or the next.
  if v_held_below is not null then
    return hold_window(p_window.resource, v_held_below, v_deadline_at);
  end if;
  update open_window set check_at = least(v_last_below, v_deadline_at), held_due = null
  where resource = p_window.resource;
  return 0;
end
$$;

-- Returns how many fired, and how long until the earliest window is due (null: none is open). Null: another node is
-- at it.
create function tick(p_now bigint) returns table (fired integer, next_check_in_ms bigint) language plpgsql as $$
declare
  -- A longer pause between two ticks means that silence was not observed.
  c_gap_ms constant bigint := 2000;
  c_batch constant integer := 500;
  v_now bigint;
  v_since bigint;
  v_due bigint[];
  v_each bigint;
  v_window open_window;
  v_announced bigint;
  v_server text := pg_postmaster_start_time()::text;
begin
  if not try_lock_log() then
    return;
  end if;
  v_now := now_ms(p_now);
  update log_state s set
    observed_since = case
      when s.last_tick_at is null or v_now - s.last_tick_at > c_gap_ms or s.server is distinct from v_server then v_now
      else s.observed_since end,
    last_tick_at = v_now,
    -- Another server may have another clock.
    server = v_server
  returning observed_since into v_since;
  fired := 0;
  perform number_changes();
  v_announced := announced_up_to(v_now);
  if exists (select 1 from open_window where held_due <= v_announced) then
    perform release_held(v_announced);
  end if;
  select array_agg(resource order by check_at, level desc, resource) into v_due
  from (select * from open_window where check_at <= v_now order by check_at, level desc, resource limit c_batch) w;
  foreach v_each in array coalesce(v_due, '{}') loop
    if try_lock_resources(array[v_each]) then
      -- Firing one may have fired or moved others, and what was recorded meanwhile is seen only now.
      select * into v_window from open_window where resource = v_each and check_at <= v_now;
      if found then
        fired := fired + check_window(v_now, v_window, v_since, v_announced);
      end if;
    end if;
  end loop;
  perform number_changes();
  next_check_in_ms := (select min(greatest(0, check_at - v_now)) from open_window);
  return next;
end
$$;

create function force_stable(p_now bigint, p_level integer, p_id text) returns boolean language plpgsql as $$
declare
  v_resource bigint;
begin
  perform lock_log();
  select id into v_resource from resource where level = p_level and public_id = p_id for no key update;
  if v_resource is null or not exists (select 1 from open_window where resource = v_resource) then
    return false;
  end if;
  if fire_with_descendants(now_ms(p_now), v_resource, 'forced') = 0 then
    raise exception 'Something below is being recorded' using errcode = '40001';
  end if;
  perform number_changes();
  return true;
end
$$;

create function mark_unstable(p_now bigint, p_level integer, p_id text, p_age_ms bigint, p_max_wait_ms bigint)
returns boolean language plpgsql as $$
declare
  v_now bigint := now_ms(p_now);
  v_resource bigint;
begin
  select id into v_resource from resource where level = p_level and public_id = p_id for no key update;
  if v_resource is null then
    return false;
  end if;
  insert into open_window (resource, level, opened_at, last_at, age_ms, max_wait_ms, check_at, elsewhere)
  values (v_resource, p_level, v_now, v_now, p_age_ms, p_max_wait_ms, v_now + least(p_age_ms, p_max_wait_ms),
    is_held_elsewhere(v_resource))
  on conflict (resource) do update set
    last_at = greatest(open_window.last_at, excluded.last_at),
    age_ms = greatest(open_window.age_ms, excluded.age_ms),
    max_wait_ms = least(open_window.max_wait_ms, excluded.max_wait_ms),
    elsewhere = open_window.elsewhere or excluded.elsewhere,
    check_at = least(open_window.check_at, open_window.opened_at + least(open_window.max_wait_ms, excluded.max_wait_ms));
  return true;
end
$$;
