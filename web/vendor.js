/** Preact and htm in one module, served from the installed package: no build step, no copy in the repository. */
export { html, render, useEffect, useMemo, useRef, useState } from '/vendor/htm-preact.js';
