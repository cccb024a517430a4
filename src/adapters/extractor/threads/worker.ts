import { parentPort } from 'node:worker_threads';
import { TripwatchError } from '../../../domain/errors.ts';
import { extractDocument } from '../../../domain/extract/document.ts';
import type { Answer, Job } from './messages.ts';

/** The thread: one document after another. It knows no secrets, opens no files and is killed from outside when it hangs. */
const port = parentPort;
if (port === null) throw new TripwatchError('defect', 'not-a-worker', 'this file is started as a worker thread');

port.on('message', (job: Job) => port.postMessage(answer(job)));

function answer(job: Job): Answer {
  try {
    return { id: job.id, result: extractDocument(job.input) };
  } catch (error) {
    if (error instanceof TripwatchError) {
      return { id: job.id, failure: { kind: error.kind, code: error.code, message: error.message } };
    }
    // A fault of ours that this document brings out. Only the error's name crosses: its message may quote the mail.
    const name = error instanceof Error ? error.name : 'unknown';
    return {
      id: job.id,
      failure: { kind: 'poison', code: 'parse-failed', message: `the document made the parser fail (${name})` },
    };
  }
}
