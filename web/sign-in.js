import { call } from './api.js';

/** Who was looked at when the browser left for a provider. */
const LEFT_AS = 'tripwatch.traveller';

/** Sends the browser to a provider to sign in there; it comes back by `takeReturn`. */
export async function leaveToSignIn(traveller, body) {
  const { url } = await call(`/v1/travellers/${traveller}/mailboxes/sign-in`, { method: 'POST', body });
  sessionStorage.setItem(LEFT_AS, traveller);
  location.assign(url);
}

/**
 * The provider sent the browser back: what came with it, taken out of the address at once, so that it neither stays in the
 * history nor is used twice. Undefined: nobody was sent back.
 */
export function takeReturn() {
  const told = new URLSearchParams(location.hash.slice(1));
  if (!told.has('refused') && !(told.has('code') && told.has('state'))) return undefined;
  history.replaceState(undefined, '', '#view=mailboxes');
  const traveller = sessionStorage.getItem(LEFT_AS) ?? undefined;
  return { code: told.get('code'), state: told.get('state'), refused: told.get('refused'), traveller };
}

/** Ends the sign-in. What to tell: the mailbox with a text, or what went wrong. */
export async function finishSignIn({ code, state, refused }) {
  if (refused !== null) {
    const text =
      refused === 'access_denied'
        ? 'You did not agree at the provider, so nothing was connected. Begin again, and agree to reading mails.'
        : `The provider did not let you in (${refused.slice(0, 60)}). Nothing was connected; begin again.`;
    return { problem: new Error(text) };
  }
  try {
    const mailbox = await call('/v1/mailboxes/sign-in', { method: 'POST', body: { code, state } });
    return {
      mailbox,
      text: `${mailbox.address ?? mailbox.label} is connected. New mails come first, older ones follow.`,
    };
  } catch (problem) {
    return { problem };
  }
}
