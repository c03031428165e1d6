-- The servers that share the database. The name of each is held by a lock of its session, so that none is used twice.

create function hint(p_what text) returns void language sql as $$
  select pg_notify('onstable_' || (select value from meta where key = 'epoch'), p_what)
$$;

-- True: the name is this session's, until it ends.
create function try_hold_name(p_node text) returns boolean language sql as $$
  select pg_try_advisory_lock('log_state'::regclass::oid::integer, hashtext(p_node))
$$;

-- A server begins. What it held before its end is held no more.
create function begin_node(p_now bigint, p_node text, p_version text) returns void language plpgsql as $$
begin
  perform reclaim_leases_of(now_ms(p_now), p_node);
  insert into node (name, version, started_at, seen_at) values (p_node, p_version, now_ms(p_now), now_ms(p_now))
  on conflict (name) do update set
    version = excluded.version, started_at = excluded.started_at, seen_at = excluded.seen_at, is_draining = false;
  perform hint('state');
end
$$;

create function scripts_state() returns json language sql as $$
  select coalesce(json_agg(json_build_object(
    'name', name, 'state', state, 'version', version, 'subscriptions', subscriptions, 'suspended_reason', suspended_reason,
    'suspended_at', suspended_at, 'paused_at', paused_at) order by name collate "C"), '[]')
  from script
$$;

-- Whoever has not been heard of for a day is forgotten.
create function beat_node(p_now bigint, p_node text, out now bigint, out is_draining boolean, out scripts json,
  out paused_all_at bigint) language plpgsql as $$
begin
  perform commit_unsynced();
  now := now_ms(p_now);
  update node n set seen_at = now where name = p_node returning n.is_draining into is_draining;
  delete from node where seen_at < now - 86400000;
  scripts := scripts_state();
  paused_all_at := (select value::bigint from meta where key = 'paused-at');
end
$$;

create function end_node(p_node text) returns void language plpgsql as $$
begin
  delete from node where name = p_node;
  perform hint('state');
end
$$;

-- Null: there is no such server. False: it was so already.
create function set_draining(p_node text, p_is_draining boolean) returns boolean language plpgsql as $$
declare
  v_before boolean;
begin
  select is_draining into v_before from node where name = p_node for update;
  if v_before is null then
    return null;
  end if;
  update node set is_draining = p_is_draining where name = p_node;
  perform hint('state');
  return v_before <> p_is_draining;
end
$$;
