DROP INDEX "webhook_messages_due";--> statement-breakpoint
DROP INDEX "webhook_messages_created";--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "failing_since" timestamptz;--> statement-breakpoint
ALTER TABLE "webhook_messages" ADD COLUMN "subscriber_id" bigint;--> statement-breakpoint
ALTER TABLE "webhook_messages" ADD COLUMN "in_flight" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "webhook_messages_pending" ON "webhook_messages" USING btree ("endpoint_id","due_at") WHERE "webhook_messages"."status" = 'pending';--> statement-breakpoint
CREATE INDEX "webhook_messages_in_flight" ON "webhook_messages" USING btree ("endpoint_id","due_at") WHERE "webhook_messages"."in_flight";--> statement-breakpoint
CREATE INDEX "webhook_messages_type" ON "webhook_messages" USING btree ("endpoint_id","type","id");--> statement-breakpoint
CREATE INDEX "webhook_messages_open" ON "webhook_messages" USING btree ("endpoint_id","status","id") WHERE "webhook_messages"."status" <> 'delivered';--> statement-breakpoint
CREATE INDEX "webhook_messages_subscriber" ON "webhook_messages" USING btree ("subscriber_id") WHERE "webhook_messages"."subscriber_id" is not null;--> statement-breakpoint
ALTER TABLE "webhook_messages" ADD CONSTRAINT "webhook_messages_in_flight" CHECK (not "webhook_messages"."in_flight" or "webhook_messages"."status" = 'pending');