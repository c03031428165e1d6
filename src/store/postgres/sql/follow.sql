-- Turns changes into deliveries, in the order of the log: the cursor of a script moves with them.

create function level_of_type(p_type integer) returns integer language sql immutable as $$
  select case when p_type = 7 then 2 else p_type % 4 end
$$;

-- The number that a type of change has in the rows.
create function type_number(p_type text) returns integer language sql immutable as $$
  select array_position(array[
    'NewPatient', 'NewStudy', 'NewSeries', 'NewInstance', 'StablePatient', 'StableStudy', 'StableSeries',
    'CompletedSeries', 'DeletedPatient', 'DeletedStudy', 'DeletedSeries', 'DeletedInstance'], p_type) - 1
$$;

-- What a script wants to be told, in its order.
create function subscriptions_of(p_subscriptions text) returns table (
  place bigint, type integer, callback text, key text
) language sql immutable as $$
  select s.place, type_number(s.value ->> 'type'), s.value ->> 'callback', coalesce(s.value ->> 'key', 'study')
  from json_array_elements(p_subscriptions::json) with ordinality s (value, place)
$$;

-- What a delivery is kept in order by: the choice of the script, applied to the resource that the change is about.
-- Identifiers of all levels differ; a resource above the chosen level is its own key. With `none`, revisions are
-- told one after the other, whatever else is not.
create function delivery_key(p_choice text, p_change change) returns text language sql immutable as $$
  select case p_choice
    when 'study' then p_change.key
    when 'resource' then p_change.public_id
    when 'patient' then p_change.patient
    when 'series' then case when level_of_type(p_change.type) = 3 then p_change.series else p_change.public_id end
    when 'none' then case when p_change.type between 4 and 6 then p_change.public_id else '#' || p_change.seq end
  end
$$;

-- Makes a delivery of a change that was told before. One that waits is enough: false. One that is dead was never
-- finished: it is owed as it was, under the same idempotency key, in the place that it has now.
create function owe_again(
  p_now bigint, p_script bigint, p_callback text, p_seq bigint, p_key text, p_replay integer, p_version text
) returns boolean language plpgsql as $$
declare
  v_held delivery;
begin
  select * into v_held from delivery where seq = p_seq and script = p_script and callback = p_callback
  order by (state = 2) limit 1;
  if found and v_held.state <> 2 then
    return false;
  end if;
  delete from delivery where id = v_held.id;
  insert into delivery (script, callback, seq, key, state, run_at, replay, version)
  values (p_script, p_callback, p_seq, p_key, state_of_last(p_script, p_key), p_now,
    coalesce(v_held.replay, p_replay), p_version);
  return true;
end
$$;

-- Returns the cursor.
create function follow(p_now bigint, p_script script) returns bigint language plpgsql as $$
declare
  c_most constant integer := 1000;
  v_last bigint;
  v_each record;
begin
  select max(seq) into v_last from (select seq from change where seq > p_script.cursor order by seq limit c_most) c;
  if v_last is null then
    return p_script.cursor;
  end if;
  for v_each in
    select c.seq, s.callback, delivery_key(s.key, c) as key
    from change c join subscriptions_of(p_script.subscriptions) s on s.type = c.type
    where c.seq > p_script.cursor and c.seq <= least(v_last, p_script.replay_until) order by c.seq, s.place
  loop
    perform owe_again(p_now, p_script.id, v_each.callback, v_each.seq, v_each.key, p_script.replay, null);
  end loop;
  with told as (
    select c.seq, s.place, s.callback, delivery_key(s.key, c) as key
    from change c join subscriptions_of(p_script.subscriptions) s on s.type = c.type
    where c.seq > greatest(p_script.cursor, p_script.replay_until) and c.seq <= v_last
  ), keys as (
    select key, is_held_up(p_script.id, key, 9223372036854775807) as is_held_up, in_line(p_script.id, key) as in_line
    from (select distinct key from told) k
  )
  insert into delivery (script, callback, seq, key, state, run_at)
    select p_script.id, t.callback, t.seq, t.key,
      case when k.is_held_up
          or k.in_line + row_number() over (partition by t.key order by t.seq, t.place) > most_in_line()
        then 4 else 0 end, p_now
    from told t join keys k on k.key = t.key
    order by t.seq, t.place;
  update script set cursor = v_last where id = p_script.id;
  return v_last;
end
$$;
