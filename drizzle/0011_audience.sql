-- Ships with Postgres, and with Neon: search by any part of an address or name.
CREATE EXTENSION IF NOT EXISTS pg_trgm;--> statement-breakpoint
CREATE TABLE "attribute_definitions" (
	"name" text PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"description" text,
	"created_at" timestamptz DEFAULT now() NOT NULL,
	CONSTRAINT "attribute_definitions_name" CHECK ("attribute_definitions"."name" ~ '^[A-Za-z][A-Za-z0-9_]{0,63}$'),
	CONSTRAINT "attribute_definitions_type" CHECK ("attribute_definitions"."type" in ('string', 'number', 'boolean', 'date', 'list'))
);
--> statement-breakpoint
CREATE TABLE "import_refusals" (
	"import_id" bigint NOT NULL,
	"line" integer NOT NULL,
	"reason" text NOT NULL,
	"record" text NOT NULL,
	CONSTRAINT "import_refusals_import_id_line_pk" PRIMARY KEY("import_id","line")
);
--> statement-breakpoint
CREATE TABLE "imports" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "imports_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" text DEFAULT 'subscribers' NOT NULL,
	"status" text DEFAULT 'receiving' NOT NULL,
	"dry_run" boolean DEFAULT false NOT NULL,
	"options" jsonb NOT NULL,
	"file_name" text,
	"size" bigint,
	"state" jsonb,
	"next_offset" bigint DEFAULT 0 NOT NULL,
	"line" integer DEFAULT 1 NOT NULL,
	"rows" integer DEFAULT 0 NOT NULL,
	"created" integer DEFAULT 0 NOT NULL,
	"updated" integer DEFAULT 0 NOT NULL,
	"unchanged" integer DEFAULT 0 NOT NULL,
	"skipped" integer DEFAULT 0 NOT NULL,
	"refused" integer DEFAULT 0 NOT NULL,
	"kept" integer DEFAULT 0 NOT NULL,
	"lease_token" uuid,
	"lease_until" timestamptz,
	"error" text,
	"created_at" timestamptz DEFAULT now() NOT NULL,
	"updated_at" timestamptz DEFAULT now() NOT NULL,
	"finished_at" timestamptz,
	CONSTRAINT "imports_kind" CHECK ("imports"."kind" in ('subscribers', 'suppressions')),
	CONSTRAINT "imports_status" CHECK ("imports"."status" in ('receiving', 'finished', 'failed', 'cancelled')),
	CONSTRAINT "imports_lease" CHECK (("imports"."lease_token" is null) = ("imports"."lease_until" is null)),
	CONSTRAINT "imports_finished" CHECK (("imports"."status" = 'receiving') = ("imports"."finished_at" is null)),
	CONSTRAINT "imports_sum" CHECK ("imports"."created" + "imports"."updated" + "imports"."unchanged" + "imports"."skipped" + "imports"."refused" = "imports"."rows")
);
--> statement-breakpoint
CREATE TABLE "segments" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "segments_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"description" text,
	"filter" jsonb NOT NULL,
	"created_at" timestamptz DEFAULT now() NOT NULL,
	"updated_at" timestamptz DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "signups" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "signups_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"email" text NOT NULL,
	"first_name" text,
	"last_name" text,
	"attributes" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"locale" text,
	"list_ids" bigint[] NOT NULL,
	"wording" text NOT NULL,
	"source" text NOT NULL,
	"country" text,
	"status" text DEFAULT 'received' NOT NULL,
	"reason" text,
	"mails" integer DEFAULT 0 NOT NULL,
	"mailed_at" timestamptz,
	"created_at" timestamptz DEFAULT now() NOT NULL,
	"expires_at" timestamptz NOT NULL,
	CONSTRAINT "signups_status" CHECK ("signups"."status" in ('received', 'mailed', 'subscribed', 'confirmed', 'refused')),
	CONSTRAINT "signups_lists" CHECK (cardinality("signups"."list_ids") > 0)
);
--> statement-breakpoint
CREATE TABLE "webhook_attempts" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "webhook_attempts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"message_id" bigint NOT NULL,
	"at" timestamptz DEFAULT now() NOT NULL,
	"response_status" integer,
	"response" text,
	"duration_ms" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "webhook_endpoints" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "webhook_endpoints_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"url" text NOT NULL,
	"description" text,
	"events" text[] NOT NULL,
	"secret" text NOT NULL,
	"previous_secret" text,
	"previous_until" timestamptz,
	"enabled" boolean DEFAULT true NOT NULL,
	"disabled_reason" text,
	"created_at" timestamptz DEFAULT now() NOT NULL,
	"updated_at" timestamptz DEFAULT now() NOT NULL,
	CONSTRAINT "webhook_endpoints_disabled" CHECK ("webhook_endpoints"."enabled" or "webhook_endpoints"."disabled_reason" is not null),
	CONSTRAINT "webhook_endpoints_previous" CHECK (("webhook_endpoints"."previous_secret" is null) = ("webhook_endpoints"."previous_until" is null))
);
--> statement-breakpoint
CREATE TABLE "webhook_messages" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "webhook_messages_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"endpoint_id" bigint NOT NULL,
	"type" text NOT NULL,
	"payload" jsonb NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"due_at" timestamptz DEFAULT now() NOT NULL,
	"delivered_at" timestamptz,
	"created_at" timestamptz DEFAULT now() NOT NULL,
	CONSTRAINT "webhook_messages_status" CHECK ("webhook_messages"."status" in ('pending', 'delivered', 'failed')),
	CONSTRAINT "webhook_messages_delivered" CHECK (("webhook_messages"."status" = 'delivered') = ("webhook_messages"."delivered_at" is not null))
);
--> statement-breakpoint
ALTER TABLE "transactional_sends" DROP CONSTRAINT "transactional_purpose";--> statement-breakpoint
ALTER TABLE "transactional_sends" ALTER COLUMN "campaign_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "mailing_lists" ADD COLUMN "opt_in" text DEFAULT 'double' NOT NULL;--> statement-breakpoint
ALTER TABLE "mailing_lists" ADD COLUMN "visibility" text DEFAULT 'private' NOT NULL;--> statement-breakpoint
ALTER TABLE "mailing_lists" ADD COLUMN "consent_wording" text;--> statement-breakpoint
ALTER TABLE "mailing_lists" ADD COLUMN "sender_id" bigint;--> statement-breakpoint
ALTER TABLE "mailing_lists" ADD COLUMN "success_url" text;--> statement-breakpoint
ALTER TABLE "settings" ADD COLUMN "sender_id" bigint;--> statement-breakpoint
ALTER TABLE "settings" ADD COLUMN "brand_name" text;--> statement-breakpoint
ALTER TABLE "settings" ADD COLUMN "brand_logo_url" text;--> statement-breakpoint
ALTER TABLE "settings" ADD COLUMN "brand_color" text;--> statement-breakpoint
ALTER TABLE "settings" ADD COLUMN "home_url" text;--> statement-breakpoint
ALTER TABLE "settings" ADD COLUMN "privacy_url" text;--> statement-breakpoint
ALTER TABLE "consents" ADD COLUMN "wording" text;--> statement-breakpoint
ALTER TABLE "consents" ADD COLUMN "country" text;--> statement-breakpoint
ALTER TABLE "consents" ADD COLUMN "reason" text;--> statement-breakpoint
ALTER TABLE "subscribers" ADD COLUMN "tags" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "subscribers" ADD COLUMN "paused_until" timestamptz;--> statement-breakpoint
ALTER TABLE "import_refusals" ADD CONSTRAINT "import_refusals_import_id_imports_id_fk" FOREIGN KEY ("import_id") REFERENCES "public"."imports"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhook_attempts" ADD CONSTRAINT "webhook_attempts_message_id_webhook_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."webhook_messages"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhook_messages" ADD CONSTRAINT "webhook_messages_endpoint_id_webhook_endpoints_id_fk" FOREIGN KEY ("endpoint_id") REFERENCES "public"."webhook_endpoints"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "imports_created" ON "imports" USING btree ("created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "segments_name" ON "segments" USING btree (lower("name"));--> statement-breakpoint
CREATE INDEX "signups_email" ON "signups" USING btree (lower("email"),"created_at");--> statement-breakpoint
CREATE INDEX "signups_received" ON "signups" USING btree ("created_at") WHERE "signups"."status" = 'received';--> statement-breakpoint
CREATE INDEX "signups_expires" ON "signups" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "webhook_attempts_message" ON "webhook_attempts" USING btree ("message_id","id");--> statement-breakpoint
CREATE INDEX "webhook_messages_due" ON "webhook_messages" USING btree ("due_at") WHERE "webhook_messages"."status" = 'pending';--> statement-breakpoint
CREATE INDEX "webhook_messages_endpoint" ON "webhook_messages" USING btree ("endpoint_id","id");--> statement-breakpoint
CREATE INDEX "webhook_messages_created" ON "webhook_messages" USING btree ("created_at");--> statement-breakpoint
ALTER TABLE "mailing_lists" ADD CONSTRAINT "mailing_lists_sender_id_senders_id_fk" FOREIGN KEY ("sender_id") REFERENCES "public"."senders"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "settings" ADD CONSTRAINT "settings_sender_id_senders_id_fk" FOREIGN KEY ("sender_id") REFERENCES "public"."senders"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "subscribers_tags" ON "subscribers" USING gin ("tags");--> statement-breakpoint
CREATE INDEX "subscribers_attributes" ON "subscribers" USING gin ("attributes" jsonb_path_ops);--> statement-breakpoint
CREATE INDEX "subscribers_search" ON "subscribers" USING gin (lower("email" || ' ' || coalesce("first_name", '') || ' ' || coalesce("last_name", '')) gin_trgm_ops);--> statement-breakpoint
ALTER TABLE "mailing_lists" ADD CONSTRAINT "mailing_lists_opt_in" CHECK ("mailing_lists"."opt_in" in ('single', 'double'));--> statement-breakpoint
ALTER TABLE "mailing_lists" ADD CONSTRAINT "mailing_lists_visibility" CHECK ("mailing_lists"."visibility" in ('public', 'private'));--> statement-breakpoint
ALTER TABLE "settings" ADD CONSTRAINT "settings_brand_color" CHECK ("settings"."brand_color" ~ '^#[0-9a-f]{6}$');--> statement-breakpoint
ALTER TABLE "transactional_sends" ADD CONSTRAINT "transactional_campaign" CHECK (("transactional_sends"."purpose" = 'test') = ("transactional_sends"."campaign_id" is not null));--> statement-breakpoint
ALTER TABLE "transactional_sends" ADD CONSTRAINT "transactional_purpose" CHECK ("transactional_sends"."purpose" in ('test', 'confirmation', 'data'));