-- Removes what is kept no longer, some at a time; each returns whether there may be more of it.

-- Every script still has its changes, as far back as it may be behind, and so has every delivery, and whoever publishes
-- them, unless nobody has for as long as changes are kept. The last one stays, as the number from which readers of the
-- log go on.
create function retire_changes(p_now bigint, p_age_ms bigint, p_most_behind bigint, p_too_many boolean)
returns boolean language plpgsql as $$
declare
  c_at_a_time constant integer := 500;
  v_end bigint := last_seq();
  v_slowest bigint;
  v_removed integer;
begin
  select coalesce(min(
    case when cursor < replay_until then cursor else greatest(cursor, v_end - p_most_behind) end), v_end)
  into v_slowest
  from (
    select cursor, case state when 'parked' then 0 else replay_until end as replay_until from script
    union all
    select cursor, 0 from relay where held_until > now_ms(p_now) - p_age_ms) followers;
  -- The oldest come first, so that nothing is looked at that is too young.
  delete from change where seq in (
    select seq from (
      select seq, at from change c where seq <= v_slowest and seq < v_end
        and not exists (select 1 from delivery d where d.seq = c.seq)
      order by seq limit c_at_a_time) oldest
    where p_too_many or at < now_ms(p_now) - p_age_ms);
  get diagnostics v_removed = row_count;
  return v_removed = c_at_a_time;
end
$$;

-- An estimate by some rows, evenly over all. From the first on of which nothing is owed there are no gaps to speak of,
-- since they go in their order; so none is counted.
create function log_bytes() returns bigint language sql as $$
  with bounds as (
    select seq as first, last_seq() - seq + 1 as count from change c
    where not exists (select 1 from delivery d where d.seq = c.seq) order by seq limit 1)
  select coalesce((
    select (b.count * (avg(s.bytes) + 200))::bigint
    from bounds b cross join lateral (
      select (select coalesce(octet_length(event), 0) from change where seq >= b.first + (b.count - 1) * n / 199
        order by seq limit 1) as bytes
      from generate_series(0, 199) n) s
    group by b.count), 0)
$$;

-- The tags of a study that is gone were kept so that its runs can be found by them.
create function forget_subjects(p_studies text[]) returns void language sql as $$
  delete from subject s where study = any (p_studies)
    and not exists (select 1 from resource where level = 1 and public_id = s.study)
    and not exists (select 1 from run where study = s.study)
$$;

-- 0: none did.
create function last_run_before(p_at bigint) returns bigint language sql as $$
  select coalesce((select id from run where ended_at < p_at order by ended_at desc, id desc limit 1), 0)
$$;

-- Runs of a dead delivery stay, whatever their age.
create function is_handled(p_delivery bigint) returns boolean language sql as $$
  select not exists (select 1 from delivery where id = p_delivery and state = 2)
$$;

create function remove_runs(p_runs bigint[]) returns integer language plpgsql as $$
declare
  v_studies text[];
begin
  with removed as (delete from run where id = any (p_runs) returning study)
  select array_agg(distinct study) into v_studies from removed;
  perform forget_subjects(v_studies);
  return cardinality(p_runs);
end
$$;

create function retire_runs(p_now bigint, p_ok_ms bigint, p_failed_ms bigint, p_too_many boolean)
returns boolean language plpgsql as $$
declare
  c_at_a_time constant integer := 500;
  v_well bigint := last_run_before(now_ms(p_now) - p_ok_ms);
  v_failed bigint := last_run_before(now_ms(p_now) - p_failed_ms);
  v_more boolean;
begin
  v_more := remove_runs(array(
    select id from run where outcome in ('ok', 'skipped') and id <= v_well order by id limit c_at_a_time)) = c_at_a_time;
  v_more := remove_runs(array(
    select id from run where outcome <> 'ok' and outcome <> 'skipped' and id <= v_failed and is_handled(delivery)
    order by id limit c_at_a_time)) = c_at_a_time or v_more;
  if p_too_many then
    v_more := remove_runs(array(
      select id from run where is_handled(delivery) order by id limit c_at_a_time)) = c_at_a_time or v_more;
  end if;
  return v_more;
end
$$;

-- An estimate by some rows, evenly over all: to look at each would take long.
create function runs_bytes() returns bigint language sql as $$
  with bounds as (select count(*) as count, min(id) as first, max(id) as last from run)
  select coalesce((b.count * (avg(s.bytes) + 300))::bigint, 0)
  from bounds b left join lateral (
    select (select octet_length(logs) + octet_length(host_calls) + coalesce(octet_length(reason), 0) + coalesce(octet_length(event), 0)
      from run where id >= b.first + (b.last - b.first) * n / 199 order by id limit 1) as bytes
    from generate_series(0, 199) n) s on b.count > 0
  group by b.count
$$;
