import { call } from './api.js';
import { Wrong } from './parts.js';
import { html, useState } from './vendor.js';

/** Before anything else: whose trips these are. Zone and language are those of this browser. */
export function FirstTraveller({ onAdded }) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState();
  const add = (event) => {
    event.preventDefault();
    setProblem(undefined);
    const { timeZone: zone } = Intl.DateTimeFormat().resolvedOptions();
    call('/v1/travellers', { method: 'POST', body: { name, zone, locale: navigator.language || 'en' } }).then(
      onAdded,
      setProblem,
    );
  };
  return html`<section class="card" aria-labelledby="first-title">
    <h2 id="first-title">Who travels?</h2>
    <form class="inline" onSubmit=${add}>
      <label>Name <input class="field" required maxlength="200" autocomplete="name" value=${name} onInput=${(event) => setName(event.target.value)} /></label>
      <button class="plain primary">Go on</button>
    </form>
    <${Wrong} problem=${problem} />
  </section>`;
}
