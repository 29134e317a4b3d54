/**
 * The report's style sheet and colours. Colours are data here so that a test can hold them to their
 * contrast: text at least 4.5 : 1 (WCAG 2.2, 1.4.3), marks at least 3 : 1 (1.4.11).
 */

import { createHash } from 'node:crypto';

/** Colours of one theme. */
export interface Theme {
  ground: string;
  panel: string;
  ink: string;
  soft: string;
  line: string;
  link: string;
  outlier: string;
  /** Rim of every punchcard circle, so that the palest still stands out. */
  rim: string;
  /** Topics on the map: neighbours get different ones, so that six are enough. */
  marks: string[];
  /** Shares in the punchcards, low to high: one hue, told apart by lightness alone. */
  steps: string[];
}

// The marks of both themes were found by search: the six whose nearest two lie farthest apart in CIELAB, in
// ordinary sight and under the simulated loss of each kind of cone, with enough contrast to the ground.
export const light: Theme = {
  ground: '#ffffff',
  panel: '#f5f6f8',
  ink: '#1b1f24',
  soft: '#555d68',
  line: '#d8dce2',
  link: '#0a58a8',
  outlier: '#b4bac3',
  rim: '#5d7388',
  marks: ['#178ad1', '#d36182', '#7f8a30', '#6718d5', '#463e20', '#6f0e7a'],
  steps: ['#e3eef9', '#b5d4ee', '#7cb2df', '#4389c8', '#1c5fa3', '#0b3468'],
};

export const dark: Theme = {
  ground: '#13161a',
  panel: '#1c2026',
  ink: '#e9ebee',
  soft: '#abb3be',
  line: '#353b44',
  link: '#8fbdf3',
  outlier: '#555d68',
  rim: '#7f96ad',
  marks: ['#b1baf4', '#50db8d', '#dacf35', '#a646f0', '#24817e', '#73740e'],
  steps: ['#15263a', '#1d4267', '#2a659b', '#4a90cf', '#86bdee', '#d3e9ff'],
};

const variables = (theme: Theme): string =>
  [
    ...(['ground', 'panel', 'ink', 'soft', 'line', 'link', 'outlier', 'rim'] as const).map(
      (name) => `--${name}:${theme[name]}`,
    ),
    ...theme.marks.map((colour, i) => `--m${i}:${colour}`),
    ...theme.steps.map((colour, i) => `--s${i}:${colour}`),
  ].join(';');

export const styleSheet = `
:root{color-scheme:light dark;${variables(light)}}
@media (prefers-color-scheme:dark){:root{${variables(dark)}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
header,main,footer{max-width:1160px;margin:0 auto;padding:0 24px}
header{padding-top:40px}
footer{padding-bottom:64px;color:var(--soft)}
h1{font-size:2rem;line-height:1.2;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:1.35rem;line-height:1.25;margin:56px 0 8px}
h3{font-size:1rem;margin:24px 0 8px}
p{margin:0 0 12px;max-width:76ch}
a{color:var(--link)}
a:focus-visible,[tabindex]:focus-visible,summary:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.soft,figcaption{color:var(--soft)}
figcaption{font-size:.875rem;max-width:90ch;margin-top:8px}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:4px 20px;padding:0;margin:12px 0 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:24px 0 0}
.tiles div{background:var(--panel);border-radius:8px;padding:12px 16px;display:flex;flex-direction:column-reverse;justify-content:flex-end}
.tiles dt{color:var(--soft);font-size:.875rem;line-height:1.35}
.tiles dd{margin:0;font-size:1.4rem;line-height:1.35;font-weight:600;font-variant-numeric:tabular-nums;white-space:nowrap}
.notices{border-left:4px solid var(--link);background:var(--panel);border-radius:0 8px 8px 0;padding:12px 16px 12px 36px;margin:24px 0 0}
.notices li{overflow-wrap:anywhere}
figure{margin:16px 0 0}
svg{display:block}
svg text{font-family:inherit;fill:var(--ink)}
.map{width:100%;height:auto;background:var(--panel);border-radius:8px}
.map{--dot:4.4px}
.map.some{--dot:6px}
.map.few{--dot:8px}
.map path{fill:none;stroke-linecap:round;stroke-width:var(--dot)}
.map .outliers path{stroke:var(--outlier);stroke-opacity:.55;stroke-width:calc(var(--dot)*.75)}
${light.marks.map((_, i) => `.map .m${i} path{stroke:var(--m${i})}`).join('\n')}
.map .topic:hover path{stroke:var(--ink)}
.map text{font-weight:600;text-anchor:middle;paint-order:stroke;stroke:var(--panel);stroke-width:.28em;stroke-linejoin:round}
.map .leaders{stroke:var(--soft);stroke-width:1.2}
.map a text{fill:var(--ink)}
.map a:hover text,.map a:focus text{text-decoration:underline}
.map .medium,.map .narrow{display:none}
@media (max-width:900px){.map .wide{display:none}.map .medium{display:inline}}
@media (max-width:560px){.map{--dot:7px}.map.some{--dot:10px}.map.few{--dot:14px}.tiles dd{font-size:1.2rem}.map .leaders{stroke-width:2.5}.map .medium{display:none}.map .narrow{display:inline}}
.card{display:flex}
.card .labels{flex:none}
.card .labels text{text-anchor:end}
.card .scroll{overflow-x:auto;direction:rtl;flex:1 1 auto;min-width:0}
.card .scroll svg{direction:ltr;margin-right:auto}
.card .narrow{display:none}
@media (max-width:760px){.card .wide{display:none}.card .narrow{display:block}}
.card circle{stroke:var(--rim);stroke-width:.75}
${light.steps.map((_, i) => `.s${i}{fill:var(--s${i})}`).join('\n')}
.card .rule{stroke:var(--line);stroke-width:1}
.card g:hover .rule{stroke:var(--soft)}
.card .bar{fill:var(--rim)}
.card text{font-size:12px}
.card .tick,.card .note{font-size:11px;fill:var(--soft)}
.card a text{fill:var(--link)}
.card a:hover text{text-decoration:underline}
.key{display:flex;flex-wrap:wrap;gap:8px 32px;margin:16px 0 8px;padding:0;list-style:none;font-size:.875rem}
.key li{display:flex;flex-wrap:wrap;align-items:center;gap:4px 12px}
.key span{display:inline-flex;align-items:center;gap:5px;white-space:nowrap;font-variant-numeric:tabular-nums}
.key circle{stroke:var(--rim);stroke-width:.75}
.key .size{fill:none}
table{border-collapse:collapse;width:100%;font-size:.9rem}
caption{text-align:left;color:var(--soft);padding:0 0 8px}
th,td{text-align:left;vertical-align:top;padding:10px 12px;border-bottom:1px solid var(--line)}
thead th{font-size:.8125rem;color:var(--soft);font-weight:600;border-bottom-width:2px;vertical-align:bottom}
th[scope=row]{font-weight:600;overflow-wrap:anywhere}
td{overflow-wrap:anywhere}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.plain{width:auto;min-width:min(100%,420px)}
.topics tr:target{background:var(--panel)}
.topics small{display:block;color:var(--soft);font-weight:400}
.topics dl{margin:0}
.topics dt{color:var(--soft);font-size:.8125rem}
.topics dd{margin:0 0 6px}
.topics ol{margin:0;padding-left:1.3em}
.topics li{margin-bottom:4px}
.topics .name{width:17%}
.topics .terms{width:19%}
.topics .what{width:24%}
.topics .titles{width:27%}
@media (max-width:760px){
header,main,footer{padding-left:16px;padding-right:16px}
header{padding-top:24px}
h1{font-size:1.6rem}
.topics,.topics caption,.topics tbody,.topics tr,.topics th,.topics td{display:block;width:auto}
.topics .name,.topics .terms,.topics .what,.topics .titles{width:auto}
.topics thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.topics tr{border-bottom:1px solid var(--line);padding:16px 0}
.topics th[scope=row]{font-size:1.05rem}
.topics tbody th,.topics tbody td{border:0;padding:2px 0;text-align:left}
.topics td[data-column]::before{content:attr(data-column);display:block;color:var(--soft);font-size:.8125rem}
.topics .number{display:inline-block;margin-right:24px}
}
pre{background:var(--panel);border-radius:8px;padding:12px 16px;overflow-x:auto;font-size:.8125rem;line-height:1.45}
code{overflow-wrap:anywhere}
@media print{.topics tr{break-inside:avoid}}
`;

/** What the Content-Security-Policy allows: this style sheet and nothing else, from nowhere else. */
export const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256')
  .update(styleSheet)
  .digest('base64')}'; base-uri 'none'; form-action 'none'`;
