/** The SNS topics whose messages count, by ARN: the host that signs and confirms them. */
export type SnsTopics = ReadonlyMap<string, string>

/** partition, region. A region is words and a number: "s3-eu-west-1" is none, or `sns.<it>` would be somebody's bucket. */
const TOPIC = /^arn:(aws|aws-us-gov|aws-cn):sns:([a-z]{2}(?:-[a-z]+){1,3}-[0-9]{1,2}):[0-9]{12}:[A-Za-z0-9_-]{1,256}$/

/**
 * Reads SNS_TOPICS: ARNs separated by commas. Empty means none.
 *
 * @throws Error naming the entry that is no ARN of a topic
 */
export function parseSnsTopics(text: string): SnsTopics {
  const topics = new Map<string, string>()
  for (const [i, part] of text.split(',').entries()) {
    const arn = part.trim()
    if (arn === '') continue
    const [, partition, region] = TOPIC.exec(arn) ?? []
    if (!region) {
      throw new Error(
        `SNS_TOPICS, entry ${i + 1}: is not the ARN of an SNS topic, such as arn:aws:sns:eu-west-1:123456789012:ses-events`,
      )
    }
    topics.set(arn, `sns.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}`)
  }
  return topics
}
