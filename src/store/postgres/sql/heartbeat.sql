-- Heartbeats: deliveries that no change owes (their `seq` is 0). What was missed while nobody could be told, or while
-- the one before was still being told, comes as one, which says how many.

create function beat(p_now bigint, p_script script) returns void language plpgsql as $$
declare
  v_missed bigint;
begin
  if p_script.beat_every_ms is null or p_script.beat_at > p_now or exists (
    select 1 from delivery where script = p_script.id and key = '#heartbeat' and state <> 2
  ) then
    return;
  end if;
  v_missed := (p_now - p_script.beat_at) / p_script.beat_every_ms;
  insert into delivery (script, callback, seq, key, state, run_at, event)
  values (p_script.id, 'onHeartbeat', 0, '#heartbeat', 0, p_now, json_build_object(
    'dueAt', iso_time(p_script.beat_at + v_missed * p_script.beat_every_ms),
    'missed', v_missed, 'everyMs', p_script.beat_every_ms));
  update script set beat_at = p_script.beat_at + (v_missed + 1) * p_script.beat_every_ms where id = p_script.id;
end
$$;

-- The first time is one interval from now.
create function set_heartbeat(p_now bigint, p_name text, p_every_ms bigint) returns void language sql as $$
  update script set beat_every_ms = p_every_ms, beat_at = p_now + p_every_ms
  where name = p_name and beat_every_ms is distinct from p_every_ms
$$;
