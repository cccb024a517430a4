import { type Checker, violation } from './violation.ts';

/** I24: what a stranger sends is refused, and what the provider sends is not. */
export const checkPushes: Checker = ({ history }) =>
  history.pushes
    .filter(({ forged, verdict }) => (verdict === 'refused') !== forged)
    .map(({ at, life, forged, verdict }) =>
      violation('I24', `at ${at}: process ${life} took a ${forged ? 'forged' : 'true'} push as ${verdict}`),
    );
