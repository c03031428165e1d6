-- Whose turn it is within a key. Behind a delivery that was tried, or is at work, and has not ended, nothing of its key is
-- handed out; what comes behind one that waits for its next try is put aside (state 4), and so is what is far behind in its
-- key. Whichever of a key ends lets go on some of those that are behind no other. Whoever changes deliveries of a script
-- has locked its row.

-- In the order of their rows, so that two that want the same wait for each other once.
create function lock_scripts(p_scripts bigint[]) returns void language sql as $$
  select 1 from script where id = any (p_scripts) order by id for no key update
$$;

-- One before it was tried, or is behind one that was, and is not at work.
create function is_held_up(p_script bigint, p_key text, p_before bigint) returns boolean language sql as $$
  select exists (
    select 1 from delivery e where e.script = p_script and e.key = p_key and e.id < p_before
      and (e.state = 3 or e.state = 4 or (e.state = 0 and e.attempt > 0)))
$$;

-- The state of one that is live and not leased.
create function state_by_turn(p_script bigint, p_key text, p_id bigint) returns smallint language sql as $$
  select (case when is_held_up(p_script, p_key, p_id) then 4 else 0 end)::smallint
$$;

-- Behind so many of its key one is put aside.
create function most_in_line() returns integer language sql immutable as $$ select 150 $$;

-- How many of a key have not ended, as far as that counts.
create function in_line(p_script bigint, p_key text) returns bigint language sql as $$
  select count(*) from (
    select 1 from delivery where script = p_script and key = p_key and state <> 2 limit most_in_line()) t
$$;

-- The state of one that comes behind all others of its key.
create function state_of_last(p_script bigint, p_key text) returns smallint language sql as $$
  select (case when is_held_up(p_script, p_key, 9223372036854775807) or in_line(p_script, p_key) = most_in_line()
    then 4 else 0 end)::smallint
$$;

create function put_aside_behind(p_script bigint, p_key text, p_id bigint) returns void language sql as $$
  update delivery set state = 4 where script = p_script and key = p_key and id > p_id and state <> 2 and state = 0
$$;

create function let_go_on(p_script bigint, p_key text) returns void language plpgsql as $$
declare
  -- So many are let go on at a time, when fewer than these are left before them.
  c_most constant integer := 100;
  c_enough_before constant integer := 50;
  v_first bigint;
  v_holding bigint;
begin
  select min(id) into v_first from delivery where script = p_script and key = p_key and state = 4;
  if v_first is null then
    return;
  end if;
  if (select count(*) from (select 1 from delivery where script = p_script and key = p_key and id < v_first
      and state <> 2 limit c_enough_before) t) = c_enough_before
  then
    return;
  end if;
  select min(id) into v_holding from delivery
  where script = p_script and key = p_key and (state = 3 or (state = 0 and attempt > 0));
  update delivery set state = 0 where id in (
    select id from delivery where script = p_script and key = p_key and state = 4 and id <= coalesce(v_holding, id)
    order by id limit c_most);
end
$$;

-- The next try of those of a script whose time has come; one after the other, since each may hold up the next.
create function end_waits(p_now bigint, p_script bigint) returns void language plpgsql as $$
declare
  v_each record;
begin
  for v_each in select id, key from delivery where script = p_script and state = 3 and run_at <= p_now order by id loop
    update delivery set state = state_by_turn(p_script, v_each.key, v_each.id) where id = v_each.id;
  end loop;
end
$$;

-- An attempt that may have been at work was one, whatever came of it.
create function note_lost_run(p_now bigint, p_delivery bigint) returns void language plpgsql as $$
declare
  v_delivery delivery;
  v_script script;
  v_change change;
begin
  select * into v_delivery from delivery where id = p_delivery;
  select * into v_script from script where id = v_delivery.script;
  select * into v_change from change where seq = v_delivery.seq;
  perform insert_run(p_now, v_delivery, v_script.name, v_change, json_build_object(
    'version', coalesce(v_delivery.version, v_script.version), 'outcome', 'crashed',
    'reason', '{"message":"The server ended, or stood still for too long, during this attempt: what it did by then is not known"}',
    'attempts', null, 'durationMs', 0, 'cpuMs', 0, 'memoryBytes', 0, 'logs', '[]', 'hostCalls', '[]',
    -- An empty text: nobody knows what it was told.
    'event', case when v_change.seq is null or v_delivery.replay > 0 or v_delivery.event is not null
      or coalesce(v_change.revision, 1) > 1 then '' end));
end
$$;

-- Those whose time is over. Of what a node holds of a script only the first of each key can have been run, of as many keys
-- as may be at a time, which is noted; the others get back the attempt that they were leased for.
create function reclaim_expired(p_now bigint, p_script bigint) returns void language plpgsql as $$
declare
  v_each record;
begin
  for v_each in
    select id, key, not is_first or place > (select concurrency from script where id = p_script) as was_not_run
    from (
      select id, key, lease_until, is_first, sum(is_first::integer) over (partition by node order by id) as place from (
        select id, key, lease_until, node, id = min(id) over (partition by node, key) as is_first from delivery
        where script = p_script and state = 1) held) placed
    where lease_until < p_now order by id
  loop
    if not v_each.was_not_run then
      perform note_lost_run(p_now, v_each.id);
    end if;
    update delivery set attempt = attempt - v_each.was_not_run::integer, lease_until = null, node = null,
      state = state_by_turn(p_script, v_each.key, v_each.id)
    where id = v_each.id;
  end loop;
end
$$;

-- When a node begins: what it held before, it holds no more.
create function reclaim_leases_of(p_now bigint, p_node text) returns void language plpgsql as $$
declare
  v_each bigint;
begin
  for v_each in select distinct script from delivery where state = 1 and node = p_node order by 1 loop
    perform lock_scripts(array[v_each]);
    update delivery set lease_until = p_now - 1 where script = v_each and state = 1 and node = p_node;
    perform reclaim_expired(p_now, v_each);
  end loop;
end
$$;
