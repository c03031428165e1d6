-- Scripts: the version in force, and what it wants to be told.

-- A script chose another key: what it is owed already gets that, too, so that it stays in order with what comes.
create function key_anew(p_script bigint, p_before text, p_now text) returns void language plpgsql as $$
begin
  if p_before = p_now then
    return;
  end if;
  update delivery d set key = delivery_key(s.key, c)
  from change c join subscriptions_of(p_now) s on s.type = c.type
  where d.script = p_script and c.seq = d.seq and s.callback = d.callback and d.key <> delivery_key(s.key, c);
  if found then
    update delivery set state = 0 where script = p_script and state = 4;
    update delivery d set state = 4 where script = p_script and state = 0 and is_held_up(p_script, d.key, d.id);
    update delivery set state = 4 where state = 0 and id in (
      select id from (
        select id, row_number() over (partition by key order by id) as place from delivery
        where script = p_script and state <> 2) t
      where place > most_in_line());
  end if;
end
$$;

-- A name never seen starts at the end of the log; a version that is suspended stays so.
create function put_script(
  p_now bigint, p_name text, p_hash text, p_code text, p_source_map text, p_subscriptions text, p_every_ms bigint,
  p_concurrency integer
) returns void language plpgsql as $$
declare
  v_now bigint := now_ms(p_now);
  v_before script;
begin
  perform number_pending();
  select * into v_before from script where name = p_name for no key update;
  insert into script_version values (p_hash, p_code, p_source_map, v_now) on conflict do nothing;
  insert into script as s (name, state, cursor, version, subscriptions, concurrency)
  values (p_name, 'active', last_seq(), p_hash, p_subscriptions, p_concurrency)
  on conflict (name) do update set
    state = case when s.state = 'suspended' and s.version = excluded.version then s.state else 'active' end,
    version = excluded.version, subscriptions = excluded.subscriptions, concurrency = excluded.concurrency;
  if v_before.id is not null then
    perform key_anew(v_before.id, v_before.subscriptions, p_subscriptions);
  end if;
  perform set_heartbeat(v_now, p_name, p_every_ms);
  perform hint('state');
end
$$;

-- Its runs stay, until their time is over. False: it is not parked, or not known.
create function forget_script(p_name text) returns boolean language plpgsql as $$
declare
  v_id bigint;
begin
  select id into v_id from script where name = p_name and state = 'parked' for update;
  if v_id is null then
    return false;
  end if;
  delete from delivery where script = v_id;
  delete from finished where script = v_id;
  delete from key_value where script = p_name;
  delete from script where id = v_id;
  perform hint('state');
  return true;
end
$$;
