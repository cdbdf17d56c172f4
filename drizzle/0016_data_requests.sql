CREATE TABLE "data_requests" (
	"subscriber_id" bigint PRIMARY KEY NOT NULL,
	"asked_at" timestamp with time zone[] NOT NULL
);
--> statement-breakpoint
ALTER TABLE "data_requests" ADD CONSTRAINT "data_requests_subscriber_id_subscribers_id_fk" FOREIGN KEY ("subscriber_id") REFERENCES "public"."subscribers"("id") ON DELETE cascade ON UPDATE no action;