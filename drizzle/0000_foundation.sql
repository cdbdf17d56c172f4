CREATE TABLE "api_keys" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "api_keys_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"prefix" text NOT NULL,
	"hash" text NOT NULL,
	"scopes" text[] NOT NULL,
	"created_at" timestamptz DEFAULT now() NOT NULL,
	"last_used_at" timestamptz,
	"revoked_at" timestamptz,
	CONSTRAINT "api_keys_scopes" CHECK ("api_keys"."scopes" <@ array['read', 'write', 'send', 'admin'] and cardinality("api_keys"."scopes") > 0)
);
--> statement-breakpoint
CREATE TABLE "campaign_links" (
	"campaign_id" bigint NOT NULL,
	"n" integer NOT NULL,
	"url" text NOT NULL,
	"text" text NOT NULL,
	CONSTRAINT "campaign_links_campaign_id_n_pk" PRIMARY KEY("campaign_id","n")
);
--> statement-breakpoint
CREATE TABLE "campaigns" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "campaigns_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"subject" text NOT NULL,
	"preheader" text,
	"template_id" bigint NOT NULL,
	"sender_id" bigint NOT NULL,
	"audience" jsonb NOT NULL,
	"status" text DEFAULT 'draft' NOT NULL,
	"status_reason" text,
	"scheduled_at" timestamptz,
	"started_at" timestamptz,
	"finished_at" timestamptz,
	"snapshot" jsonb,
	"audience_max_id" bigint,
	"frozen_to" bigint DEFAULT 0 NOT NULL,
	"frozen_at" timestamptz,
	"batch_count" integer DEFAULT 0 NOT NULL,
	"created_at" timestamptz DEFAULT now() NOT NULL,
	"updated_at" timestamptz DEFAULT now() NOT NULL,
	CONSTRAINT "campaigns_status" CHECK ("campaigns"."status" in ('draft', 'scheduled', 'sending', 'paused', 'sent', 'cancelled')),
	CONSTRAINT "campaigns_scheduled_at" CHECK ("campaigns"."status" <> 'scheduled' or "campaigns"."scheduled_at" is not null),
	CONSTRAINT "campaigns_started" CHECK ("campaigns"."status" not in ('sending', 'paused', 'sent') or ("campaigns"."snapshot" is not null and "campaigns"."audience_max_id" is not null and "campaigns"."started_at" is not null)),
	CONSTRAINT "campaigns_sent" CHECK ("campaigns"."status" <> 'sent' or ("campaigns"."frozen_at" is not null and "campaigns"."finished_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "campaign_events" (
	"event_id" text NOT NULL,
	"occurred_at" timestamptz NOT NULL,
	"kind" text NOT NULL,
	"campaign_id" bigint NOT NULL,
	"subscriber_id" bigint NOT NULL,
	"link" integer DEFAULT 0 NOT NULL,
	"country" text,
	CONSTRAINT "campaign_events_event_id_occurred_at_pk" PRIMARY KEY("event_id","occurred_at"),
	CONSTRAINT "campaign_events_kind" CHECK ("campaign_events"."kind" in ('open', 'click', 'unsubscribe'))
) PARTITION BY RANGE ("occurred_at");
--> statement-breakpoint
-- By hand: months get partitions of their own from cron (events/partitions.ts); this one takes what falls outside.
CREATE TABLE "campaign_events_default" PARTITION OF "campaign_events" DEFAULT;
--> statement-breakpoint
CREATE TABLE "campaign_hourly" (
	"campaign_id" bigint NOT NULL,
	"hour" timestamptz NOT NULL,
	"link" integer DEFAULT 0 NOT NULL,
	"opens" integer DEFAULT 0 NOT NULL,
	"clicks" integer DEFAULT 0 NOT NULL,
	"unsubscribes" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "campaign_hourly_campaign_id_hour_link_pk" PRIMARY KEY("campaign_id","hour","link")
);
--> statement-breakpoint
CREATE TABLE "campaign_stats" (
	"campaign_id" bigint PRIMARY KEY NOT NULL,
	"opens" integer DEFAULT 0 NOT NULL,
	"unique_opens" integer DEFAULT 0 NOT NULL,
	"clicks" integer DEFAULT 0 NOT NULL,
	"unique_clicks" integer DEFAULT 0 NOT NULL,
	"unsubscribes" integer DEFAULT 0 NOT NULL,
	"unique_unsubscribes" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "recipient_stats" (
	"campaign_id" bigint NOT NULL,
	"subscriber_id" bigint NOT NULL,
	"opens" integer DEFAULT 0 NOT NULL,
	"clicks" integer DEFAULT 0 NOT NULL,
	"unsubscribes" integer DEFAULT 0 NOT NULL,
	"first_opened_at" timestamptz,
	"first_clicked_at" timestamptz,
	"unsubscribed_at" timestamptz,
	CONSTRAINT "recipient_stats_campaign_id_subscriber_id_pk" PRIMARY KEY("campaign_id","subscriber_id")
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"api_key_id" bigint NOT NULL,
	"key" text NOT NULL,
	"request_hash" text NOT NULL,
	"status" smallint,
	"body" jsonb,
	"created_at" timestamptz DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_keys_api_key_id_key_pk" PRIMARY KEY("api_key_id","key")
);
--> statement-breakpoint
CREATE TABLE "batches" (
	"campaign_id" bigint NOT NULL,
	"n" integer NOT NULL,
	"size" integer NOT NULL,
	"open" integer NOT NULL,
	"sent" integer DEFAULT 0 NOT NULL,
	"failed" integer DEFAULT 0 NOT NULL,
	"skipped" integer DEFAULT 0 NOT NULL,
	"unconfirmed" integer DEFAULT 0 NOT NULL,
	"lease_token" uuid,
	"lease_until" timestamptz,
	"due_at" timestamptz NOT NULL,
	CONSTRAINT "batches_campaign_id_n_pk" PRIMARY KEY("campaign_id","n"),
	CONSTRAINT "batches_sum" CHECK ("batches"."open" + "batches"."sent" + "batches"."failed" + "batches"."skipped" + "batches"."unconfirmed" = "batches"."size"),
	CONSTRAINT "batches_counts" CHECK ("batches"."open" >= 0 and "batches"."sent" >= 0 and "batches"."failed" >= 0 and "batches"."skipped" >= 0 and "batches"."unconfirmed" >= 0),
	CONSTRAINT "batches_lease" CHECK (("batches"."lease_token" is null) = ("batches"."lease_until" is null))
);
--> statement-breakpoint
CREATE TABLE "deliveries" (
	"campaign_id" bigint NOT NULL,
	"subscriber_id" bigint NOT NULL,
	"batch" integer NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"attempts" smallint DEFAULT 0 NOT NULL,
	"lease_token" uuid,
	"group_no" integer,
	"next_attempt_at" timestamptz,
	"reason" text,
	"answer" text,
	"account" text,
	"provider_message_id" text,
	"updated_at" timestamptz DEFAULT now() NOT NULL,
	"sent_at" timestamptz,
	CONSTRAINT "deliveries_campaign_id_subscriber_id_pk" PRIMARY KEY("campaign_id","subscriber_id"),
	CONSTRAINT "deliveries_state" CHECK ("deliveries"."state" in ('pending', 'sending', 'deferred', 'sent', 'failed', 'skipped', 'unconfirmed')),
	CONSTRAINT "deliveries_reason" CHECK ("deliveries"."state" not in ('failed', 'skipped', 'unconfirmed', 'deferred') or "deliveries"."reason" is not null),
	CONSTRAINT "deliveries_deferred" CHECK ("deliveries"."state" <> 'deferred' or "deliveries"."next_attempt_at" is not null),
	CONSTRAINT "deliveries_sending" CHECK ("deliveries"."state" <> 'sending' or "deliveries"."lease_token" is not null)
);
--> statement-breakpoint
CREATE TABLE "list_members" (
	"list_id" bigint NOT NULL,
	"subscriber_id" bigint NOT NULL,
	"status" text DEFAULT 'subscribed' NOT NULL,
	"consented_at" timestamptz,
	"consent_source" text,
	"unsubscribed_at" timestamptz,
	"created_at" timestamptz DEFAULT now() NOT NULL,
	"updated_at" timestamptz DEFAULT now() NOT NULL,
	CONSTRAINT "list_members_list_id_subscriber_id_pk" PRIMARY KEY("list_id","subscriber_id"),
	CONSTRAINT "list_members_status" CHECK ("list_members"."status" in ('subscribed', 'unsubscribed')),
	CONSTRAINT "list_members_unsubscribed_at" CHECK (("list_members"."status" = 'unsubscribed') = ("list_members"."unsubscribed_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "mailing_lists" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "mailing_lists_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"description" text,
	"created_at" timestamptz DEFAULT now() NOT NULL,
	"updated_at" timestamptz DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "senders" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "senders_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"from_name" text NOT NULL,
	"from_email" text NOT NULL,
	"reply_to" text,
	"postal_address" text NOT NULL,
	"account" text,
	"tracking_url" text,
	"created_at" timestamptz DEFAULT now() NOT NULL,
	"updated_at" timestamptz DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "settings" (
	"id" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"sending" boolean DEFAULT true NOT NULL,
	"updated_at" timestamptz DEFAULT now() NOT NULL,
	CONSTRAINT "settings_single" CHECK ("settings"."id" = 1)
);
--> statement-breakpoint
CREATE TABLE "consents" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "consents_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"subscriber_id" bigint NOT NULL,
	"list_id" bigint,
	"action" text NOT NULL,
	"source" text,
	"occurred_at" timestamptz DEFAULT now() NOT NULL,
	"recorded_at" timestamptz DEFAULT now() NOT NULL,
	CONSTRAINT "consents_action" CHECK ("consents"."action" in ('subscribed', 'resubscribed', 'unsubscribed'))
);
--> statement-breakpoint
CREATE TABLE "subscribers" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "subscribers_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"email" text NOT NULL,
	"first_name" text,
	"last_name" text,
	"status" text DEFAULT 'active' NOT NULL,
	"attributes" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"timezone" text,
	"locale" text,
	"created_at" timestamptz DEFAULT now() NOT NULL,
	"updated_at" timestamptz DEFAULT now() NOT NULL,
	CONSTRAINT "subscribers_status" CHECK ("subscribers"."status" in ('active', 'unsubscribed', 'bounced', 'complained')),
	CONSTRAINT "subscribers_attributes" CHECK (jsonb_typeof("subscribers"."attributes") = 'object')
);
--> statement-breakpoint
CREATE TABLE "suppressions" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "suppressions_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" text NOT NULL,
	"value" text NOT NULL,
	"reason" text DEFAULT 'manual' NOT NULL,
	"source" text,
	"created_at" timestamptz DEFAULT now() NOT NULL,
	CONSTRAINT "suppressions_kind" CHECK ("suppressions"."kind" in ('address', 'domain', 'hash')),
	CONSTRAINT "suppressions_reason" CHECK ("suppressions"."reason" in ('manual', 'unsubscribe', 'bounce', 'complaint', 'deleted')),
	CONSTRAINT "suppressions_lower" CHECK ("suppressions"."kind" = 'hash' or "suppressions"."value" = lower("suppressions"."value"))
);
--> statement-breakpoint
CREATE TABLE "template_versions" (
	"template_id" bigint NOT NULL,
	"version" integer NOT NULL,
	"format" text NOT NULL,
	"source" text NOT NULL,
	"text_source" text,
	"compiled" jsonb NOT NULL,
	"created_at" timestamptz DEFAULT now() NOT NULL,
	CONSTRAINT "template_versions_template_id_version_pk" PRIMARY KEY("template_id","version"),
	CONSTRAINT "template_versions_format" CHECK ("template_versions"."format" in ('mjml', 'html'))
);
--> statement-breakpoint
CREATE TABLE "templates" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "templates_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamptz DEFAULT now() NOT NULL,
	"updated_at" timestamptz DEFAULT now() NOT NULL,
	"deleted_at" timestamptz
);
--> statement-breakpoint
ALTER TABLE "campaign_links" ADD CONSTRAINT "campaign_links_campaign_id_campaigns_id_fk" FOREIGN KEY ("campaign_id") REFERENCES "public"."campaigns"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "campaigns" ADD CONSTRAINT "campaigns_template_id_templates_id_fk" FOREIGN KEY ("template_id") REFERENCES "public"."templates"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "campaigns" ADD CONSTRAINT "campaigns_sender_id_senders_id_fk" FOREIGN KEY ("sender_id") REFERENCES "public"."senders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "batches" ADD CONSTRAINT "batches_campaign_id_campaigns_id_fk" FOREIGN KEY ("campaign_id") REFERENCES "public"."campaigns"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "list_members" ADD CONSTRAINT "list_members_list_id_mailing_lists_id_fk" FOREIGN KEY ("list_id") REFERENCES "public"."mailing_lists"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "list_members" ADD CONSTRAINT "list_members_subscriber_id_subscribers_id_fk" FOREIGN KEY ("subscriber_id") REFERENCES "public"."subscribers"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "consents" ADD CONSTRAINT "consents_subscriber_id_subscribers_id_fk" FOREIGN KEY ("subscriber_id") REFERENCES "public"."subscribers"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "template_versions" ADD CONSTRAINT "template_versions_template_id_templates_id_fk" FOREIGN KEY ("template_id") REFERENCES "public"."templates"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "api_keys_hash" ON "api_keys" USING btree ("hash");--> statement-breakpoint
CREATE INDEX "campaigns_scheduled" ON "campaigns" USING btree ("scheduled_at") WHERE "campaigns"."status" = 'scheduled';--> statement-breakpoint
CREATE INDEX "campaigns_open" ON "campaigns" USING btree ("id") WHERE "campaigns"."status" in ('sending', 'paused');--> statement-breakpoint
CREATE INDEX "campaign_events_campaign" ON "campaign_events" USING btree ("campaign_id","kind","subscriber_id");--> statement-breakpoint
CREATE INDEX "campaign_events_subscriber" ON "campaign_events" USING btree ("subscriber_id","occurred_at");--> statement-breakpoint
CREATE INDEX "idempotency_keys_created" ON "idempotency_keys" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "batches_due" ON "batches" USING btree ("due_at") WHERE "batches"."open" > 0;--> statement-breakpoint
CREATE INDEX "batches_open" ON "batches" USING btree ("campaign_id") WHERE "batches"."open" > 0;--> statement-breakpoint
CREATE INDEX "deliveries_batch" ON "deliveries" USING btree ("campaign_id","batch");--> statement-breakpoint
CREATE INDEX "deliveries_subscriber" ON "deliveries" USING btree ("subscriber_id");--> statement-breakpoint
CREATE INDEX "list_members_subscriber" ON "list_members" USING btree ("subscriber_id");--> statement-breakpoint
CREATE UNIQUE INDEX "mailing_lists_name" ON "mailing_lists" USING btree (lower("name"));--> statement-breakpoint
CREATE UNIQUE INDEX "senders_name" ON "senders" USING btree (lower("name"));--> statement-breakpoint
CREATE INDEX "consents_subscriber" ON "consents" USING btree ("subscriber_id","occurred_at");--> statement-breakpoint
CREATE UNIQUE INDEX "subscribers_email" ON "subscribers" USING btree (lower("email"));--> statement-breakpoint
CREATE INDEX "subscribers_domain" ON "subscribers" USING btree (lower(split_part("email", '@', 2)));--> statement-breakpoint
CREATE UNIQUE INDEX "suppressions_value" ON "suppressions" USING btree ("kind","value");--> statement-breakpoint
-- By hand: half-filled pages let a row's state change without touching an index (heap-only tuples).
ALTER TABLE "deliveries" SET (fillfactor = 50);--> statement-breakpoint
ALTER TABLE "batches" SET (fillfactor = 50);--> statement-breakpoint
INSERT INTO "settings" ("id") VALUES (1);
