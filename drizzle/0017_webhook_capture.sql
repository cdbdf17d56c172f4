-- Outgoing webhooks: what happens is written down in the transaction in which it happens, whoever makes it happen.
-- Each trigger asks first whether an endpoint wants any of its events, and does nothing else where none does. What joins the
-- rows as they were and as they are is planned anew each time: Postgres then knows how many there are, and an old plan for one
-- row would compare each of thousands with each.
CREATE TYPE public.webhook_event AS (type text, subscriber_id bigint, payload jsonb);--> statement-breakpoint

-- Whether an endpoint wants an event. One that names none wants all but those of single deliveries.
CREATE FUNCTION public.webhook_wants(events text[], type text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  select type = any(events) or (events = '{}' and type not like 'delivery.%')
$$;--> statement-breakpoint

CREATE FUNCTION public.webhook_time(at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
  select to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;--> statement-breakpoint

-- One message for each endpoint that wants an event. The lock keeps the endpoints until the transaction ends: one that is
-- deleted meanwhile is left out, where its foreign key would fail the very change that is reported.
CREATE FUNCTION public.webhook_write(happened public.webhook_event[]) RETURNS void LANGUAGE plpgsql AS $$
begin
  if happened is null then return; end if;
  with wanting as materialized (
    select id, events from public.webhook_endpoints where enabled order by id for key share
  )
  insert into public.webhook_messages (endpoint_id, type, subscriber_id, payload)
  select w.id, h.type, h.subscriber_id, h.payload
  from unnest(happened) with ordinality as h (type, subscriber_id, payload, n)
  join wanting w on public.webhook_wants(w.events, h.type)
  order by w.id, h.n;
end $$;--> statement-breakpoint

CREATE FUNCTION public.webhook_on_subscribers_created() RETURNS trigger LANGUAGE plpgsql AS $$
begin
  if not exists (
    select from public.webhook_endpoints e
    where e.enabled and (e.events = '{}' or e.events && '{subscriber.created}')
  ) then return null; end if;
  perform public.webhook_write(array_agg((
    'subscriber.created', n.id, jsonb_build_object('subscriber_id', n.id, 'status', n.status)
  )::public.webhook_event order by n.id)) from new_rows n;
  return null;
end $$;--> statement-breakpoint
CREATE TRIGGER webhook_created AFTER INSERT ON public.subscribers
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.webhook_on_subscribers_created();--> statement-breakpoint

-- Where an opt-out or a return comes from stands in the proof of consent that is written with it.
CREATE FUNCTION public.webhook_source(person bigint, list bigint) RETURNS text LANGUAGE sql STABLE AS $$
  select left(c.source, 500) from public.consents c
  where c.subscriber_id = person and c.recorded_at = now() and (c.list_id is null or c.list_id = list)
  order by c.list_id is not distinct from list desc, c.id desc
  limit 1
$$;--> statement-breakpoint

CREATE FUNCTION public.webhook_on_subscribers_changed() RETURNS trigger LANGUAGE plpgsql AS $$
begin
  if not exists (
    select from public.webhook_endpoints e
    where e.enabled and (e.events = '{}' or e.events && array[
      'subscriber.updated', 'subscriber.unsubscribed', 'subscriber.resubscribed', 'subscriber.bounced', 'subscriber.complained'])
  ) then return null; end if;
  execute $sql$
    select public.webhook_write(array_agg((x.type, x.id, x.payload)::public.webhook_event order by x.id, x.type))
    from (
      select n.id, 'subscriber.updated' as type, jsonb_build_object('subscriber_id', n.id, 'changed', c.changed) as payload
      from new_rows n
      join old_rows o using (id)
      cross join lateral (
        select array_remove(array[
          case when n.email is distinct from o.email then 'email' end,
          case when n.first_name is distinct from o.first_name then 'first_name' end,
          case when n.last_name is distinct from o.last_name then 'last_name' end,
          case when n.attributes is distinct from o.attributes then 'attributes' end,
          case when n.timezone is distinct from o.timezone then 'timezone' end,
          case when n.locale is distinct from o.locale then 'locale' end,
          case when n.tags is distinct from o.tags then 'tags' end,
          case when n.paused_until is distinct from o.paused_until then 'paused_until' end
        ], null) as changed
      ) c
      where c.changed <> '{}'
      union all
      select n.id,
        case n.status when 'active' then 'subscriber.resubscribed' else 'subscriber.' || n.status end,
        jsonb_build_object('subscriber_id', n.id, 'status', n.status, 'previous_status', o.status)
          || case when n.status in ('active', 'unsubscribed')
            then jsonb_build_object('list_id', null, 'source', public.webhook_source(n.id, null)) else '{}' end
      from new_rows n
      join old_rows o using (id)
      where n.status <> o.status
    ) x
  $sql$;
  return null;
end $$;--> statement-breakpoint
CREATE TRIGGER webhook_changed AFTER UPDATE ON public.subscribers
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
  EXECUTE FUNCTION public.webhook_on_subscribers_changed();--> statement-breakpoint

CREATE FUNCTION public.webhook_on_subscribers_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
begin
  if not exists (
    select from public.webhook_endpoints e
    where e.enabled and (e.events = '{}' or e.events && '{subscriber.deleted}')
  ) then return null; end if;
  perform public.webhook_write(array_agg((
    'subscriber.deleted', o.id, jsonb_build_object('subscriber_id', o.id)
  )::public.webhook_event order by o.id)) from old_rows o;
  return null;
end $$;--> statement-breakpoint
CREATE TRIGGER webhook_deleted AFTER DELETE ON public.subscribers
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.webhook_on_subscribers_deleted();--> statement-breakpoint

CREATE FUNCTION public.webhook_on_members_created() RETURNS trigger LANGUAGE plpgsql AS $$
begin
  if not exists (
    select from public.webhook_endpoints e
    where e.enabled and (e.events = '{}' or e.events && '{subscriber.subscribed,subscriber.unsubscribed}')
  ) then return null; end if;
  perform public.webhook_write(array_agg((
    'subscriber.' || n.status, n.subscriber_id, jsonb_build_object(
      'subscriber_id', n.subscriber_id, 'list_id', n.list_id, 'source', public.webhook_source(n.subscriber_id, n.list_id))
  )::public.webhook_event order by n.subscriber_id, n.list_id)) from new_rows n;
  return null;
end $$;--> statement-breakpoint
CREATE TRIGGER webhook_created AFTER INSERT ON public.list_members
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.webhook_on_members_created();--> statement-breakpoint

CREATE FUNCTION public.webhook_on_members_changed() RETURNS trigger LANGUAGE plpgsql AS $$
begin
  if not exists (
    select from public.webhook_endpoints e
    where e.enabled and (e.events = '{}' or e.events && '{subscriber.resubscribed,subscriber.unsubscribed}')
  ) then return null; end if;
  execute $sql$
    select public.webhook_write(array_agg((
      case n.status when 'subscribed' then 'subscriber.resubscribed' else 'subscriber.unsubscribed' end, n.subscriber_id,
      jsonb_build_object(
        'subscriber_id', n.subscriber_id, 'list_id', n.list_id, 'source', public.webhook_source(n.subscriber_id, n.list_id))
    )::public.webhook_event order by n.subscriber_id, n.list_id))
    from new_rows n
    join old_rows o using (list_id, subscriber_id)
    where n.status <> o.status
  $sql$;
  return null;
end $$;--> statement-breakpoint
CREATE TRIGGER webhook_changed AFTER UPDATE ON public.list_members
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
  EXECUTE FUNCTION public.webhook_on_members_changed();--> statement-breakpoint

-- By row: campaigns change one at a time, and mostly in other columns.
CREATE FUNCTION public.webhook_on_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
declare
  type text := case
    when new.status = 'sending' and old.status in ('draft', 'scheduled') then 'campaign.started'
    when new.status in ('sending', 'scheduled') and old.status in ('paused', 'sent') then 'campaign.resumed'
    when new.status = 'draft' then 'campaign.unscheduled'
    else 'campaign.' || new.status end;
begin
  perform public.webhook_write(array[(type, null, jsonb_build_object(
    'campaign_id', new.id, 'name', new.name, 'status', new.status, 'previous_status', old.status,
    'reason', new.status_reason))::public.webhook_event]);
  return null;
end $$;--> statement-breakpoint
CREATE TRIGGER webhook_status AFTER UPDATE ON public.campaigns
  FOR EACH ROW WHEN (old.status IS DISTINCT FROM new.status) EXECUTE FUNCTION public.webhook_on_campaign();--> statement-breakpoint

CREATE FUNCTION public.webhook_on_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
begin
  if not exists (
    select from public.webhook_endpoints e
    where e.enabled and e.events && '{delivery.sent,delivery.failed}'
  ) then return null; end if;
  execute $sql$
    select public.webhook_write(array_agg((
      'delivery.' || n.state, n.subscriber_id,
      jsonb_build_object('campaign_id', n.campaign_id, 'subscriber_id', n.subscriber_id)
        || case n.state when 'sent' then jsonb_build_object('occurred_at', public.webhook_time(n.sent_at))
          else jsonb_build_object('reason', n.reason) end
    )::public.webhook_event order by n.campaign_id, n.subscriber_id))
    from new_rows n
    join old_rows o using (campaign_id, subscriber_id)
    where n.state in ('sent', 'failed') and n.state <> o.state
  $sql$;
  return null;
end $$;--> statement-breakpoint
CREATE TRIGGER webhook_changed AFTER UPDATE ON public.deliveries
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
  EXECUTE FUNCTION public.webhook_on_deliveries();--> statement-breakpoint

-- A recipient's first news of each kind; where the row is new, there was none before.
CREATE FUNCTION public.webhook_on_feedback() RETURNS trigger LANGUAGE plpgsql AS $$
begin
  if not exists (
    select from public.webhook_endpoints e
    where e.enabled and e.events && '{delivery.delivered,delivery.bounced,delivery.complained}'
  ) then return null; end if;
  execute format($sql$
    select public.webhook_write(array_agg((x.type, n.subscriber_id,
      jsonb_build_object(
        'campaign_id', n.campaign_id, 'subscriber_id', n.subscriber_id, 'occurred_at', public.webhook_time(x.at))
        || case when x.kind is null then '{}' else jsonb_build_object('kind', x.kind) end
    )::public.webhook_event order by n.campaign_id, n.subscriber_id, x.type, x.kind))
    from %s
    cross join lateral (values
      ('delivery.delivered', null, n.delivered, o.delivered, n.delivered_at),
      ('delivery.bounced', 'hard', n.hard_bounces, o.hard_bounces, n.hard_bounced_at),
      ('delivery.bounced', 'soft', n.soft_bounces, o.soft_bounces, n.soft_bounced_at),
      ('delivery.bounced', 'blocked', n.blocks, o.blocks, n.blocked_at),
      ('delivery.complained', null, n.complaints, o.complaints, n.complained_at)
    ) as x (type, kind, now, before, at)
    where x.now > 0 and x.before = 0
  $sql$, case tg_op
    when 'INSERT' then 'new_rows n cross join (
      values (0, 0, 0, 0, 0)) as o (delivered, hard_bounces, soft_bounces, blocks, complaints)'
    else 'new_rows n join old_rows o using (campaign_id, subscriber_id)' end);
  return null;
end $$;--> statement-breakpoint
CREATE TRIGGER webhook_created AFTER INSERT ON public.recipient_feedback
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.webhook_on_feedback();--> statement-breakpoint
CREATE TRIGGER webhook_changed AFTER UPDATE ON public.recipient_feedback
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
  EXECUTE FUNCTION public.webhook_on_feedback();--> statement-breakpoint

-- A recipient's first open and first click that are held to be a person's.
CREATE FUNCTION public.webhook_on_stats() RETURNS trigger LANGUAGE plpgsql AS $$
begin
  if not exists (
    select from public.webhook_endpoints e
    where e.enabled and e.events && '{delivery.opened,delivery.clicked}'
  ) then return null; end if;
  execute format($sql$
    select public.webhook_write(array_agg((x.type, n.subscriber_id,
      jsonb_build_object('campaign_id', n.campaign_id, 'subscriber_id', n.subscriber_id)
    )::public.webhook_event order by n.campaign_id, n.subscriber_id, x.type desc))
    from %s
    cross join lateral (values
      ('delivery.opened', n.human_opens, o.human_opens),
      ('delivery.clicked', n.human_clicks, o.human_clicks)
    ) as x (type, now, before)
    where x.now > 0 and x.before = 0
  $sql$, case tg_op
    when 'INSERT' then 'new_rows n cross join (values (0, 0)) as o (human_opens, human_clicks)'
    else 'new_rows n join old_rows o using (campaign_id, subscriber_id)' end);
  return null;
end $$;--> statement-breakpoint
CREATE TRIGGER webhook_created AFTER INSERT ON public.recipient_stats
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.webhook_on_stats();--> statement-breakpoint
CREATE TRIGGER webhook_changed AFTER UPDATE ON public.recipient_stats
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
  EXECUTE FUNCTION public.webhook_on_stats();
