import { z } from 'zod';
import { envelopeSchema } from '../../contracts/envelope.ts';
import { eventType, TOPICS, type Topic } from '../../contracts/topics.ts';
import { STAGES } from '../../stages/stages.ts';

/** What fills the topics that no stage writes alone: the two steps that read the clock or the outside. */
const EDGES: readonly { readonly name: string; readonly does: string; readonly writes: readonly Topic[] }[] = [
  {
    name: 'watch',
    does: 'takes mails in (SMTP, import), stores each before it is accepted, and lists the mails of connected mailboxes; says when one needs its owner',
    writes: ['mail.seen', 'mailbox.changed'],
  },
  { name: 'tracker', does: 'asks providers in time, within each account’s budget', writes: ['subject.observed'] },
  { name: 'by-hand', does: 'takes what a person adds, edits or removes (CLI, REST)', writes: ['observation.recorded'] },
];

/** The AsyncAPI 3.0 document of all topics, generated from the stage table and the topics' schemas. */
export function asyncApiDocument(version: string): unknown {
  const topics = Object.keys(TOPICS) as Topic[];
  const operations: Record<string, unknown> = {};
  const operation = (action: 'send' | 'receive', stage: string, topic: Topic, summary: string): void => {
    operations[`${stage}.${action}.${topic}`] = {
      action,
      channel: { $ref: `#/channels/${topic}` },
      summary,
      messages: [{ $ref: `#/channels/${topic}/messages/${topic}` }],
    };
  };
  for (const edge of EDGES) for (const topic of edge.writes) operation('send', edge.name, topic, edge.does);
  for (const stage of STAGES) {
    operation('receive', stage.name, stage.reads, stage.does);
    for (const topic of stage.writes) operation('send', stage.name, topic, stage.does);
  }
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Tripwatch events',
      version,
      description:
        'Every event is a CloudEvent 1.0 in structured mode. Delivery is at least once and unordered across keys; (source, id) is unique and stays the same on redelivery.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/cloudevents+json',
    channels: Object.fromEntries(
      topics.map((topic) => [
        topic,
        {
          address: topic,
          description: `Partition key: ${[...new Set(STAGES.filter((stage) => stage.reads === topic).map((stage) => stage.key))].join(', ') || 'subscriber'}.`,
          messages: { [topic]: { $ref: `#/components/messages/${topic}` } },
        },
      ]),
    ),
    operations,
    components: {
      messages: Object.fromEntries(
        topics.map((topic) => [
          topic,
          {
            name: eventType(topic),
            contentType: 'application/cloudevents+json',
            payload: {
              allOf: [
                { $ref: '#/components/schemas/envelope' },
                {
                  type: 'object',
                  properties: { type: { const: eventType(topic) }, data: { $ref: `#/components/schemas/${topic}` } },
                  required: ['data'],
                },
              ],
            },
          },
        ]),
      ),
      schemas: {
        envelope: jsonSchema(envelopeSchema),
        ...Object.fromEntries(topics.map((topic) => [topic, jsonSchema(TOPICS[topic])])),
      },
    },
  };
}

function jsonSchema(schema: z.ZodType): unknown {
  // AsyncAPI 3.0 takes draft 7, which is what its own schema of documents is written in.
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }) as Record<string, unknown>;
  return rest;
}
