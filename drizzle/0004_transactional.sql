CREATE TABLE "transactional_mails" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "transactional_mails_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"send_id" bigint NOT NULL,
	"email" text NOT NULL,
	"state" text NOT NULL,
	"attempts" smallint DEFAULT 0 NOT NULL,
	"due_at" timestamptz DEFAULT now() NOT NULL,
	"lease_token" uuid,
	"reason" text,
	"answer" text,
	"account" text,
	"provider_message_id" text,
	"updated_at" timestamptz DEFAULT now() NOT NULL,
	"sent_at" timestamptz,
	CONSTRAINT "transactional_mails_state" CHECK ("transactional_mails"."state" in ('queued', 'sending', 'sent', 'failed', 'skipped', 'unconfirmed')),
	CONSTRAINT "transactional_mails_reason" CHECK ("transactional_mails"."state" not in ('failed', 'skipped', 'unconfirmed') or "transactional_mails"."reason" is not null),
	CONSTRAINT "transactional_mails_sending" CHECK ("transactional_mails"."state" <> 'sending' or "transactional_mails"."lease_token" is not null)
);
--> statement-breakpoint
CREATE TABLE "transactional_sends" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "transactional_sends_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"purpose" text NOT NULL,
	"campaign_id" bigint NOT NULL,
	"content" jsonb,
	"warnings" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"created_at" timestamptz DEFAULT now() NOT NULL,
	CONSTRAINT "transactional_purpose" CHECK ("transactional_sends"."purpose" = 'test')
);
--> statement-breakpoint
ALTER TABLE "transactional_mails" ADD CONSTRAINT "transactional_mails_send_id_transactional_sends_id_fk" FOREIGN KEY ("send_id") REFERENCES "public"."transactional_sends"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "transactional_mails_send" ON "transactional_mails" USING btree ("send_id");--> statement-breakpoint
CREATE INDEX "transactional_mails_due" ON "transactional_mails" USING btree ("due_at") WHERE "transactional_mails"."state" in ('queued', 'sending');--> statement-breakpoint
CREATE INDEX "transactional_sends_created" ON "transactional_sends" USING btree ("created_at");