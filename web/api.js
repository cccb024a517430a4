/** The HTTP API as this page uses it. Signed in by an HttpOnly cookie, which `/?token=…` sets. */

export class ApiProblem extends Error {
  constructor(problem) {
    super(problem.detail ?? problem.title ?? 'The server could not answer.');
    this.status = problem.status;
    this.code = problem.code;
    /** Which parts of what was sent are at fault: `path`, `message`. */
    this.errors = problem.errors;
  }
}

export async function call(path, options = {}) {
  const response = await fetch(path, {
    ...options,
    headers: {
      accept: 'application/json',
      'x-tripwatch': '1',
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  if (response.status === 204) return undefined;
  const body = await response.json().catch(() => ({ status: response.status, title: response.statusText }));
  if (!response.ok) throw new ApiProblem(body);
  return body;
}

/**
 * The change stream. The browser resumes it by itself from the last id; `onState` tells whether it is connected, so that
 * the page never looks live when it is not.
 */
export function watchChanges({ after, onChange, onReset, onState }) {
  const source = new EventSource(`/v1/changes${after === undefined ? '' : `?after=${after}`}`);
  source.addEventListener('open', () => onState(true));
  source.addEventListener('error', () => onState(false));
  source.addEventListener('change', (event) => onChange(JSON.parse(event.data), event.lastEventId));
  source.addEventListener('reset', () => onReset());
  return () => source.close();
}
