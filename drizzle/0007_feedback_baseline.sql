ALTER TABLE "campaigns" ADD COLUMN "complaints_at_resume" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "campaigns" ADD COLUMN "bounces_at_resume" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "campaigns" ADD COLUMN "blocks_at_resume" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "feedback_events" ADD COLUMN "recipient" text;--> statement-breakpoint
ALTER TABLE "recipient_feedback" ADD COLUMN "delivered" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "recipient_feedback" ADD COLUMN "soft_bounces" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "recipient_feedback" ADD COLUMN "hard_bounces" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "recipient_feedback" ADD COLUMN "blocks" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "recipient_feedback" ADD COLUMN "complaints" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "recipient_feedback" ADD COLUMN "accepted_at" timestamptz;--> statement-breakpoint
ALTER TABLE "recipient_feedback" ADD COLUMN "diagnosed_at" timestamptz;