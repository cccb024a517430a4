/** Preact and htm in one module, served from the installed package: no build step, no copy in the repository. */
export { html, render, useEffect, useLayoutEffect, useMemo, useRef, useState } from '/vendor/htm-preact.js';
