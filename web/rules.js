import { call } from './api.js';
import { Wrong } from './parts.js';
import { html, useEffect, useState } from './vendor.js';

const FIELD = {
  sender: { text: 'from the sender', hint: 'news@shop.example' },
  domain: { text: 'from the domain', hint: 'shop.example' },
  subject: { text: 'with words in the subject', hint: 'weekly offers' },
  folder: { text: 'in the folder', hint: 'INBOX/Lists' },
};
const ACTION = { deny: 'Never open', allow: 'Open' };

/** A traveller's rules on what may be opened, for all mailboxes. */
export function Rules({ traveller }) {
  const [rules, setRules] = useState([]);
  const [problem, setProblem] = useState();
  const [said, setSaid] = useState('');
  const [action, setAction] = useState('deny');
  const [field, setField] = useState('sender');
  const [pattern, setPattern] = useState('');
  const path = `/v1/travellers/${traveller}/rules`;
  const run = (work) => {
    setProblem(undefined);
    return work().catch(setProblem);
  };
  const load = async () => setRules((await call(path)).items);
  useEffect(() => {
    run(load);
  }, [traveller]);
  const add = (event) => {
    event.preventDefault();
    run(async () => {
      await call(path, { method: 'POST', body: { action, field, pattern } });
      setSaid(`Rule added: ${ACTION[action]} mails ${FIELD[field].text} ${pattern}`);
      setPattern('');
      await load();
    });
  };
  const remove = (rule) =>
    run(async () => {
      await call(`${path}/${rule.id}`, { method: 'DELETE' });
      setSaid('Rule removed');
      await load();
    });
  const allowing = rules.some((rule) => rule.action === 'allow');
  return html`<section aria-label="Rules" class="card">
    <h2>What may be opened</h2>
    <p class="small muted">Without a rule, mails of a connected mailbox are opened where they look like a booking, and what you forward or import always. Your rules come first, in all mailboxes, for mails that come from now on. The most exact one counts: sender before domain, domain before folder, folder before words in the subject; of two alike, “never”.</p>
    ${allowing && html`<p class="small told tone-warn">You have a rule that opens mails: mails that no rule opens stay closed, also where they look like a booking.</p>`}
    ${
      rules.length > 0 &&
      html`<ul class="rules">${rules.map(
        (
          rule,
        ) => html`<li key=${rule.id}><span><b>${ACTION[rule.action]}</b> mails ${FIELD[rule.field]?.text ?? rule.field} <b>${rule.pattern}</b></span>
        <button type="button" class="plain" aria-label="Remove the rule: ${ACTION[rule.action]} ${rule.pattern}" onClick=${() => remove(rule)}>Remove</button></li>`,
      )}</ul>`
    }
    <form class="rule" onSubmit=${add}>
      <label><span class="sr">What to do</span><select value=${action} onChange=${(event) => setAction(event.target.value)}>
        ${Object.entries(ACTION).map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}</select></label>
      <label>mails <select aria-label="Which mails" value=${field} onChange=${(event) => setField(event.target.value)}>
        ${Object.entries(FIELD).map(([value, { text }]) => html`<option key=${value} value=${value}>${text}</option>`)}</select></label>
      <input class="field" aria-label=${FIELD[field].text} placeholder=${FIELD[field].hint} required maxlength="200" value=${pattern} onInput=${(event) => setPattern(event.target.value)} />
      <button class="plain">Add the rule</button>
    </form>
    ${action === 'allow' && !allowing && html`<p class="small told tone-warn">With a first rule of this kind, mails that no rule opens stay closed, also where they look like a booking.</p>`}
    <${Wrong} problem=${problem} />
    <p class="sr" role="status">${said}</p>
  </section>`;
}
