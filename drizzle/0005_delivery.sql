ALTER TABLE "campaigns" DROP CONSTRAINT "campaigns_started";--> statement-breakpoint
ALTER TABLE "campaigns" ADD COLUMN "account" text;--> statement-breakpoint
ALTER TABLE "campaigns" ADD COLUMN "max_late_minutes" integer DEFAULT 120 NOT NULL;--> statement-breakpoint
ALTER TABLE "campaigns" ADD COLUMN "failed_at_resume" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "campaigns" ADD COLUMN "tried_at_resume" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "campaigns" ADD CONSTRAINT "campaigns_max_late" CHECK ("campaigns"."max_late_minutes" >= 1);--> statement-breakpoint
ALTER TABLE "campaigns" ADD CONSTRAINT "campaigns_started" CHECK (("campaigns"."snapshot" is not null and "campaigns"."audience_max_id" is not null and "campaigns"."started_at" is not null)
        or "campaigns"."status" not in ('sending', 'paused', 'sent') or ("campaigns"."status" = 'paused' and "campaigns"."started_at" is null and "campaigns"."scheduled_at" is not null));