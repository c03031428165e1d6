-- Removes what is kept no longer, some at a time; each says whether there may be more of it.

-- Every script still has its changes, as far back as it may be behind, and so has every delivery, and whoever publishes
-- them, unless nobody has for as long as changes are kept. The last one stays, as the number from which readers of the
-- log go on.
-- p_after: where the last call of the sweep left off.
create function retire_changes(p_now bigint, p_age_ms bigint, p_most_behind bigint, p_too_many integer, p_after bigint,
  out removed integer, out last bigint) language plpgsql as $$
declare
  c_at_a_time constant integer := 500;
  v_end bigint;
  v_old bigint := now_ms(p_now) - p_age_ms;
  v_slowest bigint;
  v_looked_at integer;
  v_before integer;
begin
  perform number_pending();
  v_end := last_seq();
  select coalesce(min(
    case when cursor < replay_until then cursor else greatest(cursor, v_end - p_most_behind) end), v_end)
  into v_slowest
  from (
    select cursor, case state when 'parked' then 0 else replay_until end as replay_until from script
    where subscriptions::text <> '[]'
    union all
    select cursor, 0 from relay where held_until > v_old) followers;
  -- The oldest come first, so that nothing is looked at that is too young. Late arrivals at a patient, and what it has, are
  -- told of the instances that were deleted there (11).
  with oldest as (
    select seq, at, type = 11 and exists (
        select 1 from resource where level = 0 and public_id = event::json #>> '{parents,patient}') as is_wanted
    from change c where seq > p_after and seq <= v_slowest and seq < v_end
      and not exists (select 1 from delivery d where d.seq = c.seq)
    order by seq limit c_at_a_time
  ), before_their_time as (
    select seq from oldest where at >= v_old and not is_wanted order by seq limit p_too_many
  ), gone as (
    delete from change where seq in (select seq from oldest where at < v_old union all select seq from before_their_time)
    returning seq
  )
  select (select count(*) from oldest), (select count(*) from gone), (select max(seq) from oldest),
    (select count(*) from before_their_time)
  into v_looked_at, removed, last, v_before;
  if v_looked_at < c_at_a_time or v_before >= p_too_many and removed < v_looked_at then
    last := null;
  end if;
end
$$;

-- An estimate by some rows, evenly over all. From the first on that may go there are no gaps to speak of, since they go
-- in their order; so none is counted.
create function log_size(out changes bigint, out bytes bigint) language plpgsql as $$
declare
  c_samples constant integer := 2000;
  v_first bigint := (
    select seq from change c where type <> 11 and not exists (select 1 from delivery d where d.seq = c.seq)
    order by seq limit 1);
begin
  if v_first is null then
    changes := 0;
    bytes := 0;
    return;
  end if;
  changes := last_seq() - v_first + 1;
  bytes := changes * (200 + (
    select avg((
      select coalesce(octet_length(event), 0) from change where seq >= v_first + (changes - 1) * n / (c_samples - 1)
      order by seq limit 1))
    from generate_series(0, c_samples - 1) n));
end
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

-- removed: of those that were too many.
create function retire_runs(p_now bigint, p_ok_ms bigint, p_failed_ms bigint, p_too_many integer,
  out removed integer, out is_over boolean) language plpgsql as $$
declare
  c_at_a_time constant integer := 500;
  v_well bigint := last_run_before(now_ms(p_now) - p_ok_ms);
  v_failed bigint := last_run_before(now_ms(p_now) - p_failed_ms);
begin
  is_over := remove_runs(array(
    select id from run where outcome in ('ok', 'skipped') and id <= v_well order by id limit c_at_a_time)) < c_at_a_time;
  is_over := remove_runs(array(
    select id from run where outcome <> 'ok' and outcome <> 'skipped' and id <= v_failed and is_handled(delivery)
    order by id limit c_at_a_time)) < c_at_a_time and is_over;
  removed := remove_runs(array(
    select id from run where p_too_many > 0 and is_handled(delivery) order by id limit least(p_too_many, c_at_a_time)));
  is_over := is_over and removed < c_at_a_time;
end
$$;

-- An estimate by some rows, evenly over all: to look at each would take long.
create function runs_size(out runs bigint, out bytes bigint) language sql as $$
  with bounds as (select count(*) as count, min(id) as first, max(id) as last from run)
  select b.count, coalesce((b.count * (avg(s.bytes) + 300))::bigint, 0)
  from bounds b left join lateral (
    select (select octet_length(logs) + octet_length(host_calls) + coalesce(octet_length(reason), 0) + coalesce(octet_length(event), 0)
      from run where id >= b.first + (b.last - b.first) * n / 199 order by id limit 1) as bytes
    from generate_series(0, 199) n) s on b.count > 0
  group by b.count
$$;
