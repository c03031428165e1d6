-- Hands out deliveries: per script in order, per key never past one that has not ended.

-- Those whose turn it is, in their order.
create function in_turn(p_script bigint, p_count integer) returns setof delivery language sql
set enable_hashjoin = off set enable_mergejoin = off as $$
  select d.* from delivery d
  where d.script = p_script and d.state = 0 and not exists (
    select 1 from delivery e where e.script = d.script and e.key = d.key and e.id < d.id and e.state <> 2
      and (e.state <> 0 or e.attempt > 0))
  order by d.id limit p_count
$$;

create function ready_of(p_script bigint, p_count integer) returns setof bigint language plpgsql as $$
declare
  v_each record;
  v_told text[] := '{}';
  v_held text[] := '{}';
begin
  for v_each in
    select d.id, d.key, d.callback || ' ' || c.resource as name, c.revision
    from in_turn(p_script, p_count) d left join change c on c.seq = d.seq order by d.id
  loop
    -- What a revision tells depends on how the one before it ended: it is not handed out beside that, nor is what
    -- comes after it.
    if v_each.key = any (v_held) then
      continue;
    elsif v_each.revision is not null and v_each.name = any (v_told) then
      v_held := v_held || v_each.key;
      continue;
    elsif v_each.revision is not null then
      v_told := v_told || v_each.name;
    end if;
    return next v_each.id;
  end loop;
end
$$;

-- p_wanted: script to count.
create function lease(p_now bigint, p_wanted json, p_ttl_ms bigint, p_node text, out leases json, out more boolean,
  out next_retry_in_ms bigint) language plpgsql as $$
declare
  v_now bigint;
  v_wanted text[] := array(select json_object_keys(p_wanted));
  v_expired bigint[];
  v_each bigint;
  v_count integer;
  v_script script;
  v_ready bigint[];
  v_leased bigint[] := '{}';
begin
  leases := '[]';
  more := false;
  if not number_if_free() then
    perform commit_unsynced();
  end if;
  v_now := now_ms(p_now);
  v_expired := array(select distinct script from delivery where state = 1 and lease_until < v_now);
  perform lock_scripts(array(select id from script where name = any (v_wanted)) || v_expired);
  foreach v_each in array v_expired loop
    perform reclaim_expired(v_now, v_each);
  end loop;
  if exists (select 1 from meta where key = 'paused-at') or exists (
    select 1 from node where name = p_node and is_draining
  ) then
    return;
  end if;
  for v_script in
    select * from script where name = any (v_wanted) and state = 'active' and paused_at is null
    order by id
  loop
    v_count := (p_wanted ->> v_script.name)::integer;
    perform end_waits(v_now, v_script.id);
    perform beat(v_now, v_script);
    v_ready := array(select ready_of(v_script.id, v_count));
    -- Deliveries are made only when those that exist do not suffice, so that a backlog stays in the log.
    if v_script.cursor < last_seq() and cardinality(v_ready) < v_count then
      more := follow(v_now, v_script) < last_seq() or more;
      v_ready := array(select ready_of(v_script.id, v_count));
    end if;
    update delivery set state = 1, attempt = attempt + 1, lease_until = v_now + p_ttl_ms, node = p_node,
      -- A crash may undo a lease that somebody holds: never the same number again.
      fence = greatest(fence + 1, v_now * 1000)
    where id = any (v_ready);
    v_leased := v_leased || v_ready;
  end loop;
  leases := (select coalesce(json_agg(l), '[]') from leased_rows(v_now, v_leased) l);
  next_retry_in_ms := (
    -- `greatest` would take no time at all for zero.
    select case when min(at) is not null then greatest(0, min(at) - v_now) end from (
      select min(d.run_at) as at from script s join delivery d on d.script = s.id and d.state = 3
        where s.name = any (v_wanted) and s.state = 'active' and s.paused_at is null
      union all
      -- Of one that is held it is put off, again and again.
      select min(d.lease_until) + 1 from script s join delivery d on d.script = s.id and d.state = 1
        where s.name = any (v_wanted)
      union all
      select min(beat_at) from script
        where state = 'active' and paused_at is null and beat_at > v_now and name = any (v_wanted)) t);
end
$$;

-- What was handed out, in the order of the scripts and of their deliveries.
create function leased_rows(p_now bigint, p_deliveries bigint[]) returns table (
  delivery bigint, fence bigint, attempt integer, script text, callback text, key text, seq bigint, replay integer,
  version text, run_at bigint, type smallint, public_id text, revision integer, facts text, changed_at bigint,
  leased_at bigint, since json, has_own_event boolean
) language sql as $$
  select d.id, d.fence, d.attempt, s.name, d.callback, d.key, d.seq, d.replay, d.version, d.run_at, c.type, c.public_id,
    c.revision, coalesce(d.event, facts_of(c)), c.at, p_now,
    case when c.revision is not null then (select to_json(t) from told_since(d.script, d.callback, d.replay, c) t) end,
    d.event is not null
  from unnest(p_deliveries) with ordinality p (id, place) join delivery d on d.id = p.id
  join script s on s.id = d.script left join change c on c.seq = d.seq
  order by p.place
$$;

-- Per lease whether it is still whose it was.
create function renew(p_now bigint, p_deliveries bigint[], p_fences bigint[], p_ttl_ms bigint)
returns boolean[] language plpgsql as $$
declare
  v_ours boolean[];
begin
  perform commit_unsynced();
  perform lock_scripts(array(select distinct script from delivery where id = any (p_deliveries)));
  v_ours := array(
    select exists (select 1 from delivery d where d.id = l.id and d.fence = l.fence and d.state = 1)
    from unnest(p_deliveries, p_fences) with ordinality l (id, fence, place) order by place);
  update delivery d set lease_until = now_ms(p_now) + p_ttl_ms
  from unnest(p_deliveries, p_fences) l (id, fence)
  where d.id = l.id and d.fence = l.fence and d.state = 1;
  return v_ours;
end
$$;
