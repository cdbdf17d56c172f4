CREATE TABLE "campaign_breakdown" (
	"campaign_id" bigint NOT NULL,
	"dimension" text NOT NULL,
	"value" text NOT NULL,
	"opens" integer DEFAULT 0 NOT NULL,
	"clicks" integer DEFAULT 0 NOT NULL,
	"human_opens" integer DEFAULT 0 NOT NULL,
	"human_clicks" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "campaign_breakdown_campaign_id_dimension_value_pk" PRIMARY KEY("campaign_id","dimension","value"),
	CONSTRAINT "campaign_breakdown_dimension" CHECK ("campaign_breakdown"."dimension" in ('country', 'client', 'device'))
);
--> statement-breakpoint
CREATE TABLE "subscriber_activity" (
	"subscriber_id" bigint PRIMARY KEY NOT NULL,
	"last_opened_at" timestamptz,
	"last_clicked_at" timestamptz,
	"last_active_at" timestamptz NOT NULL
);
--> statement-breakpoint
CREATE TABLE "subscriber_days" (
	"subscriber_id" bigint NOT NULL,
	"day" date NOT NULL,
	"opens" integer DEFAULT 0 NOT NULL,
	"clicks" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "subscriber_days_subscriber_id_day_pk" PRIMARY KEY("subscriber_id","day")
);
--> statement-breakpoint
ALTER TABLE "campaign_events" ALTER COLUMN "subscriber_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "campaigns" ADD COLUMN "track_opens" text;--> statement-breakpoint
ALTER TABLE "campaigns" ADD COLUMN "track_clicks" text;--> statement-breakpoint
ALTER TABLE "campaign_events" ADD COLUMN "verdict" text DEFAULT 'unsure' NOT NULL;--> statement-breakpoint
ALTER TABLE "campaign_events" ADD COLUMN "reason" text;--> statement-breakpoint
ALTER TABLE "campaign_events" ADD COLUMN "rules" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "campaign_events" ADD COLUMN "method" text;--> statement-breakpoint
ALTER TABLE "campaign_events" ADD COLUMN "asn" bigint;--> statement-breakpoint
ALTER TABLE "campaign_events" ADD COLUMN "agent" text;--> statement-breakpoint
ALTER TABLE "campaign_events" ADD COLUMN "since_sent" integer;--> statement-breakpoint
ALTER TABLE "campaign_events" ADD COLUMN "region" text;--> statement-breakpoint
ALTER TABLE "campaign_events" ADD COLUMN "device" text;--> statement-breakpoint
ALTER TABLE "campaign_events" ADD COLUMN "client" text;--> statement-breakpoint
ALTER TABLE "campaign_hourly" ADD COLUMN "human_opens" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "campaign_hourly" ADD COLUMN "human_clicks" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "campaign_stats" ADD COLUMN "human_opens" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "campaign_stats" ADD COLUMN "human_unique_opens" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "campaign_stats" ADD COLUMN "human_clicks" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "campaign_stats" ADD COLUMN "human_unique_clicks" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "recipient_stats" ADD COLUMN "human_opens" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "recipient_stats" ADD COLUMN "human_clicks" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "settings" ADD COLUMN "track_opens" text DEFAULT 'individual' NOT NULL;--> statement-breakpoint
ALTER TABLE "settings" ADD COLUMN "track_clicks" text DEFAULT 'individual' NOT NULL;--> statement-breakpoint
CREATE INDEX "subscriber_activity_last" ON "subscriber_activity" USING btree ("last_active_at","subscriber_id");--> statement-breakpoint
CREATE INDEX "subscriber_days_day" ON "subscriber_days" USING btree ("day");--> statement-breakpoint
ALTER TABLE "campaigns" ADD CONSTRAINT "campaigns_tracking" CHECK ("campaigns"."track_opens" in ('individual', 'aggregate', 'none') and "campaigns"."track_clicks" in ('individual', 'aggregate', 'none'));--> statement-breakpoint
ALTER TABLE "campaign_events" ADD CONSTRAINT "campaign_events_verdict" CHECK ("verdict" in ('human', 'machine', 'unsure'));--> statement-breakpoint
ALTER TABLE "settings" ADD CONSTRAINT "settings_tracking" CHECK ("settings"."track_opens" in ('individual', 'aggregate', 'none') and "settings"."track_clicks" in ('individual', 'aggregate', 'none'));