-- Settles deliveries: how a run ended, what it wrote to its memory, and how the delivery goes on, together.

create function insert_run(p_now bigint, p_delivery delivery, p_script text, p_change change, p_run json)
returns void language sql as $$
  insert into run (delivery, script, callback, seq, level, public_id, study, attempt, attempts, version, outcome, reason,
    ended_at, duration_ms, cpu_ms, memory_bytes, logs, host_calls, event)
  values (p_delivery.id, p_script, p_delivery.callback, p_delivery.seq, coalesce(level_of_type(p_change.type), -1),
    coalesce(p_change.public_id, ''), coalesce(p_change.key, ''), p_delivery.attempt, (p_run ->> 'attempts')::integer,
    p_run ->> 'version', p_run ->> 'outcome', p_run ->> 'reason', p_now, (p_run ->> 'durationMs')::double precision,
    (p_run ->> 'cpuMs')::double precision, (p_run ->> 'memoryBytes')::double precision, p_run ->> 'logs',
    p_run ->> 'hostCalls', p_run ->> 'event')
$$;

-- The script's row is locked, so the bytes are counted right.
create function write_key_values(p_script text, p_writes json) returns void language plpgsql as $$
declare
  v_each record;
  v_held bigint;
  v_more bigint := 0;
begin
  for v_each in select value ->> 'key' as key, value ->> 'value' as value from json_array_elements(p_writes) loop
    delete from key_value where script = p_script and key = v_each.key returning octet_length(value) into v_held;
    if v_held is not null then
      v_more := v_more - octet_length(v_each.key) - v_held;
    end if;
    if v_each.value is not null then
      insert into key_value values (p_script, v_each.key, v_each.value);
      v_more := v_more + octet_length(v_each.key) + octet_length(v_each.value);
    end if;
  end loop;
  if v_more <> 0 then
    update script set memory_bytes = memory_bytes + v_more where name = p_script;
  end if;
end
$$;

create function move_on(p_now bigint, p_delivery delivery, p_next text, p_delay_ms bigint, p_reason text)
returns void language plpgsql as $$
begin
  case p_next
    when 'done' then
      delete from delivery where id = p_delivery.id;
      perform let_go_on(p_delivery.script, p_delivery.key);
    when 'retry' then
      update delivery set state = 3, run_at = p_now + p_delay_ms, lease_until = null, node = null, reason = p_reason
      where id = p_delivery.id;
      perform put_aside_behind(p_delivery.script, p_delivery.key, p_delivery.id);
    when 'dead' then
      update delivery set state = 2, lease_until = null, node = null, reason = p_reason, ended_at = p_now
      where id = p_delivery.id;
      perform let_go_on(p_delivery.script, p_delivery.key);
    when 'release' then
      update delivery set state = state_by_turn(script, key, id), lease_until = null, node = null, attempt = attempt - 1
      where id = p_delivery.id;
  end case;
end
$$;

-- False: the lease was lost, and nothing was changed.
create function settle_one(p_now bigint, p_settlement json) returns boolean language plpgsql as $$
declare
  v_delivery delivery;
  v_script text;
  v_change change;
  v_run json := p_settlement -> 'run';
begin
  select * into v_delivery from delivery
  where id = (p_settlement ->> 'delivery')::bigint and fence = (p_settlement ->> 'fence')::bigint and state = 1;
  if not found then
    return false;
  end if;
  select name into v_script from script where id = v_delivery.script;
  select * into v_change from change where seq = v_delivery.seq;
  if v_run ->> 'outcome' is not null then
    perform insert_run(p_now, v_delivery, v_script, v_change, v_run);
  end if;
  if v_run ->> 'outcome' = 'ok' and v_change.revision is not null then
    perform note_finished(v_delivery.script, v_delivery.callback, v_delivery.replay, v_change);
  end if;
  perform write_key_values(v_script, p_settlement -> 'keyValueWrites');
  perform move_on(
    p_now, v_delivery, p_settlement ->> 'next', (p_settlement ->> 'delayMs')::double precision::bigint,
    v_run ->> 'reason');
  return true;
end
$$;

create function settle_all(p_now bigint, p_settlements json, p_is_synced boolean) returns boolean[] language plpgsql as $$
declare
  v_now bigint;
  v_each json;
  v_settled boolean[] := '{}';
begin
  if not p_is_synced then
    perform commit_unsynced();
  end if;
  perform lock_scripts(array(
    select distinct d.script from json_array_elements(p_settlements) s
    join delivery d on d.id = (s.value ->> 'delivery')::bigint));
  v_now := now_ms(p_now);
  for v_each in select value from json_array_elements(p_settlements) loop
    v_settled := v_settled || settle_one(v_now, v_each);
  end loop;
  return v_settled;
end
$$;
