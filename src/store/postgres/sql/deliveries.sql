-- What is owed to scripts: tried again by hand, dropped.

-- They count as new: with all their attempts, and in the place in their key that they had.
create function retry_dead(p_now bigint, p_deliveries bigint[]) returns integer language plpgsql as $$
declare
  v_each delivery;
  v_retried integer := 0;
begin
  perform lock_scripts(array(select distinct script from delivery where id = any (p_deliveries)));
  for v_each in select * from delivery where id = any (p_deliveries) and state = 2 order by id loop
    update delivery set state = state_by_turn(script, key, id), attempt = 0, fence = fence + 1, run_at = now_ms(p_now),
      ended_at = null
    where id = v_each.id;
    v_retried := v_retried + 1;
  end loop;
  return v_retried;
end
$$;

-- Dead ones of a script, or of all.
create function dead_of(p_script text) returns bigint[] language sql as $$
  select coalesce(array_agg(d.id), '{}') from delivery d
  where d.state = 2 and (p_script is null or d.script = (select id from script where name = p_script))
$$;

-- Tries one now that is dead, or waits for its next try.
create function retry_delivery(p_now bigint, p_delivery bigint) returns boolean language plpgsql as $$
begin
  perform lock_scripts(array(select script from delivery where id = p_delivery));
  update delivery set run_at = now_ms(p_now), state = state_by_turn(script, key, id) where id = p_delivery and state = 3;
  return found or retry_dead(p_now, array[p_delivery]) = 1;
end
$$;

create function drop_dead(p_deliveries bigint[]) returns integer language plpgsql as $$
declare
  v_dropped integer;
begin
  perform lock_scripts(array(select distinct script from delivery where id = any (p_deliveries)));
  delete from delivery where id = any (p_deliveries) and state = 2;
  get diagnostics v_dropped = row_count;
  return v_dropped;
end
$$;
