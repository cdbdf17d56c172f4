CREATE TABLE "feedback_events" (
	"event_id" text PRIMARY KEY NOT NULL,
	"source" text NOT NULL,
	"kind" text NOT NULL,
	"campaign_id" bigint NOT NULL,
	"subscriber_id" bigint NOT NULL,
	"matched" boolean NOT NULL,
	"diagnostic" text,
	"raw" text,
	"occurred_at" timestamptz NOT NULL,
	"received_at" timestamptz DEFAULT now() NOT NULL,
	CONSTRAINT "feedback_events_kind" CHECK ("feedback_events"."kind" in ('delivered', 'deferred', 'soft_bounce', 'hard_bounce', 'blocked', 'complaint')),
	CONSTRAINT "feedback_events_source" CHECK ("feedback_events"."source" in ('ses', 'sendgrid', 'answer', 'mail'))
);
--> statement-breakpoint
CREATE TABLE "recipient_feedback" (
	"campaign_id" bigint NOT NULL,
	"subscriber_id" bigint NOT NULL,
	"delivered_at" timestamptz,
	"soft_bounced_at" timestamptz,
	"hard_bounced_at" timestamptz,
	"blocked_at" timestamptz,
	"complained_at" timestamptz,
	"diagnostic" text,
	CONSTRAINT "recipient_feedback_campaign_id_subscriber_id_pk" PRIMARY KEY("campaign_id","subscriber_id")
);
--> statement-breakpoint
ALTER TABLE "campaign_stats" ADD COLUMN "delivered" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "campaign_stats" ADD COLUMN "soft_bounces" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "campaign_stats" ADD COLUMN "hard_bounces" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "campaign_stats" ADD COLUMN "blocks" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "campaign_stats" ADD COLUMN "complaints" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "settings" ADD COLUMN "pause_complaint_share" double precision DEFAULT 0.001 NOT NULL;--> statement-breakpoint
ALTER TABLE "settings" ADD COLUMN "pause_bounce_share" double precision DEFAULT 0.05 NOT NULL;--> statement-breakpoint
ALTER TABLE "settings" ADD COLUMN "pause_block_share" double precision DEFAULT 0.05 NOT NULL;--> statement-breakpoint
CREATE INDEX "feedback_events_received" ON "feedback_events" USING btree ("received_at");--> statement-breakpoint
CREATE INDEX "feedback_events_recipient" ON "feedback_events" USING btree ("subscriber_id","occurred_at");--> statement-breakpoint
CREATE INDEX "recipient_feedback_subscriber" ON "recipient_feedback" USING btree ("subscriber_id");--> statement-breakpoint
ALTER TABLE "settings" ADD CONSTRAINT "settings_shares" CHECK ("settings"."pause_complaint_share" between 0 and 1 and "settings"."pause_bounce_share" between 0 and 1
        and "settings"."pause_block_share" between 0 and 1);