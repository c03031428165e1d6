-- Tells scripts once more what they were told: by their runs, or by moving their cursor back.

-- p_is_preview: what it would come to, and nothing is changed.
create function replay_runs(p_now bigint, p_runs bigint[], p_is_original boolean, p_is_preview boolean)
returns table (replayed integer, waiting integer, gone integer) language plpgsql as $$
declare
  v_each record;
  v_replay integer;
begin
  replayed := 0;
  waiting := 0;
  gone := 0;
  perform lock_scripts(array(select s.id from run r join script s on s.name = r.script where r.id = any (p_runs)));
  begin
    for v_each in
      -- As they came: deliveries are told in the order in which they are made.
      select r.callback, r.seq, r.version, s.id as script, delivery_key(coalesce(w.key, 'study'), c) as key,
        c.seq is not null and s.id is not null as is_known
      from unnest(p_runs) p (id) left join run r on r.id = p.id left join script s on s.name = r.script
      left join change c on c.seq = r.seq
      left join lateral subscriptions_of(s.subscriptions) w on w.type = c.type and w.callback = r.callback
      order by r.seq
    loop
      if not v_each.is_known then
        gone := gone + 1;
        continue;
      end if;
      update script set replay = replay + 1 where id = v_each.script returning replay into v_replay;
      if owe_again(p_now, v_each.script, v_each.callback, v_each.seq, v_each.key, v_replay,
        case when p_is_original then v_each.version end)
      then
        replayed := replayed + 1;
      else
        waiting := waiting + 1;
      end if;
    end loop;
    if p_is_preview then
      raise sqlstate 'OS001';
    end if;
  exception when sqlstate 'OS001' then
    -- All is undone but what was counted.
    null;
  end;
  return next;
end
$$;

-- The number of the last change before a time. Times rise with the numbers, and no index is needed.
create function last_change_before(p_at bigint) returns bigint language plpgsql as $$
declare
  v_low bigint := 0;
  v_high bigint := last_seq();
  v_middle bigint;
  v_row record;
begin
  while v_low < v_high loop
    v_middle := (v_low + v_high + 1) / 2;
    select seq, at into v_row from change where seq >= v_middle order by seq limit 1;
    if v_row.seq <= v_high and v_row.at < p_at then
      v_low := v_row.seq;
    else
      v_high := v_middle - 1;
    end if;
  end loop;
  return v_low;
end
$$;

-- No row: there is no such script.
create function replay_range(p_name text, p_seq bigint, p_at bigint)
returns table (deliveries integer, waiting integer, since bigint, until bigint) language plpgsql as $$
declare
  v_script script;
begin
  select * into v_script from script where name = p_name;
  if not found then
    return;
  end if;
  -- Up to where it was told, or is being told once more.
  until := greatest(v_script.cursor, v_script.replay_until);
  since := least(case when p_seq is null then last_change_before(p_at) else greatest(0, p_seq) end, until);
  select count(*) into deliveries from change c join subscriptions_of(v_script.subscriptions) s on s.type = c.type
  where c.seq > since and c.seq <= until;
  select count(*) into waiting from delivery d
  where d.script = v_script.id and d.seq > since and d.seq <= until and d.state <> 2;
  deliveries := deliveries - waiting;
  return next;
end
$$;

-- Returns up to which; null: there is no such script.
create function replay_since(p_name text, p_since bigint) returns bigint language plpgsql as $$
declare
  v_script script;
begin
  select * into v_script from script where name = p_name for no key update;
  if p_since < v_script.cursor then
    update script set cursor = p_since, replay = replay + 1, replay_until = greatest(replay_until, cursor)
    where id = v_script.id;
  end if;
  return greatest(v_script.cursor, v_script.replay_until);
end
$$;
