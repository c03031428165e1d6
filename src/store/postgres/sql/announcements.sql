-- What a broker announces of instances that are held elsewhere: their windows fire only when everything that was
-- announced while they were quiet has been taken in.

-- p_caught_up: all that was announced before has its rows; null: nothing new is known.
create function observe_announcements(
  p_now bigint, p_caught_up bigint, p_for_ms bigint, out now bigint, out released boolean, out is_waited_for boolean
) language plpgsql as $$
declare
  -- The promise to follow them is written anew when so much of it is over.
  c_renew_after_ms constant bigint := 60000;
  v_caught_up bigint;
begin
  perform commit_unsynced();
  now := now_ms(p_now);
  -- Nothing is known of what is still to come; `least` would take a null for nothing.
  v_caught_up := case when p_caught_up > now then now else p_caught_up end;
  update announcement_state s set until = now + p_for_ms, caught_up = greatest(s.caught_up, v_caught_up)
  where s.until < now + p_for_ms - c_renew_after_ms or s.caught_up < v_caught_up;
  released := exists (
    select 1 from open_window w join announcement_state s on w.held_due <= s.caught_up);
  is_waited_for := exists (select 1 from open_window where held_due is not null);
end
$$;

-- Up to when all announcements were taken in; a time that nothing is later than while nobody follows any.
create function announced_up_to(p_now bigint) returns bigint language sql as $$
  select case when until > p_now then caught_up else 9223372036854775807 end from announcement_state
$$;

-- What another is at work on is released the next time.
create function release_held(p_up_to bigint) returns void language sql as $$
  update open_window set check_at = held_due, held_due = null
  where resource in (
    select resource from open_window where held_due <= p_up_to order by resource for no key update skip locked)
$$;

-- Looks at a window again when all that was announced before `p_due` is there, or at its deadline.
create function hold_window(p_resource bigint, p_due bigint, p_deadline bigint) returns integer language sql as $$
  update open_window set check_at = least(p_deadline, 9000000000000000), held_due = p_due where resource = p_resource;
  select 0
$$;

-- Whether any instance of a resource is.
create function is_held_elsewhere(p_resource bigint) returns boolean language sql as $$
  select exists (select 1 from series_of(p_resource) s join instance i on i.series = s.id where i.file = '')
$$;
