import { html, useEffect, useLayoutEffect, useRef, useState } from './vendor.js';

/** Small pieces that several views use. */

/** What went wrong, and what to do: in the server's words, which name both. Read out at once. */
export function Wrong({ problem }) {
  const element = useRef(null);
  useEffect(() => element.current?.scrollIntoView?.({ block: 'nearest' }), [problem]);
  if (problem === undefined) return undefined;
  const text =
    problem instanceof TypeError
      ? 'Tripwatch does not answer. Check that it runs, and that this device is connected; then try again.'
      : problem.code === 'scope-missing'
        ? 'This browser may only look. Open the address of a token with the scope “write”: tripwatch token add.'
        : problem.message;
  return html`<p ref=${element} class="problem" role="alert"><${Linked} text=${text} /></p>`;
}

/** A sentence whose https addresses can be followed. Only for texts of the server's own: never for what mails say. */
export function Linked({ text }) {
  const parts = (text ?? '').split(/(https:\/\/[^\s<>"')]*[^\s<>"').,;:])/);
  return parts.map((part, index) =>
    index % 2 === 1
      ? html`<a key=${index} href=${part} target="_blank" rel="noreferrer">${part.replace('https://', '')}</a>`
      : part,
  );
}

/** A text to take along: marked whole when it is touched, copied by the button. */
export function Copied({ label, text }) {
  const input = useRef(null);
  const [said, setSaid] = useState('');
  const copy = async () => {
    input.current.select();
    // Only pages that came by https or from this machine may write to the clipboard.
    const done = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    setSaid(done ? 'Copied' : 'Marked: copy it with Ctrl+C');
  };
  return html`<div class="copied">
    <input ref=${input} class="field" readonly value=${text} aria-label=${label} onFocus=${(event) => event.target.select()} />
    <button type="button" class="plain" onClick=${copy}>Copy</button>
    <span class="small muted" role="status">${said}</span>
  </div>`;
}

/** A question before something that cannot be undone. Esc and the first button say no. */
export function Confirm({ title, yes, no, onYes, onNo, children }) {
  const dialog = useRef(null);
  useLayoutEffect(() => {
    dialog.current.showModal();
  }, []);
  return html`<dialog ref=${dialog} aria-labelledby="confirm-title" onClose=${onNo}>
    <h3 id="confirm-title">${title}</h3>
    ${children}
    <div class="buttons">
      <button type="button" class="plain" autofocus onClick=${onNo}>${no}</button>
      <button type="button" class="plain danger" onClick=${onYes}>${yes}</button>
    </div>
  </dialog>`;
}
