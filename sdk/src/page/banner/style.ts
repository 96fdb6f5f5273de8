/** How the banner looks. Colours are the tokens of Tidings; a site may set `--tidings-accent` and the like on `tidings-banner`. */
const CSS = `
:host{all:initial!important;display:block!important;box-sizing:border-box!important;inline-size:100%!important}
:host([data-position=over]){position:fixed!important;inset:0 0 auto!important;z-index:2147483646!important;inline-size:auto!important;
padding:max(8px,env(safe-area-inset-top)) max(8px,env(safe-area-inset-right)) 0 max(8px,env(safe-area-inset-left))!important;pointer-events:none!important}
*{box-sizing:border-box;margin:0;padding:0}
.panel{--surface:var(--tidings-surface,#f5f3f0);--text:var(--tidings-text,#27231f);--quiet:var(--tidings-quiet,#625d56);
--line:var(--tidings-line,#e2dfda);--edge:#8a8580;--accent:var(--tidings-accent,#007979);--accent-text:var(--tidings-accent-text,#f8fdfd);
--press:#006667;--good:#2d7b44;--bad:#ba3630;--paper:#fcfbf9;
color-scheme:light;background:var(--surface);color:var(--text);border-block-end:1px solid var(--line);
font:14px/1.5 var(--tidings-font,"Inter Variable",Inter,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif);
text-align:start;overflow-wrap:break-word;-webkit-text-size-adjust:100%;text-size-adjust:100%;position:relative}
.dark{--surface:var(--tidings-surface,#24211e);--text:var(--tidings-text,#e8e6e2);--quiet:var(--tidings-quiet,#a8a49e);
--line:var(--tidings-line,#393632);--edge:#8a8580;--accent:var(--tidings-accent,#50bfbe);--accent-text:var(--tidings-accent-text,#031a1a);
--press:#62cfce;--good:#69c27e;--bad:#f07f77;--paper:#1b1916;color-scheme:dark}
:host([data-position=over]) .panel{pointer-events:auto;max-inline-size:720px;max-block-size:calc(100vh - 16px);overflow:auto;margin-inline:auto;border:1px solid var(--line);border-radius:8px;
box-shadow:0 8px 28px rgb(20 16 12/.16)}
.row{display:flex;flex-wrap:wrap;align-items:center;gap:12px 24px;max-inline-size:1152px;margin-inline:auto;
padding:12px max(16px,env(safe-area-inset-right)) 12px max(16px,env(safe-area-inset-left))}
.lead{display:flex;gap:12px;align-items:flex-start;flex:1 1 320px;min-inline-size:0}
.sign{flex:none;inline-size:24px;block-size:24px;margin-block-start:-1px;color:var(--accent)}
.sign.good{color:var(--good)}.sign.bad{color:var(--bad)}
.words{min-inline-size:0;max-inline-size:640px}
h2{font:inherit;font-weight:600;outline:0}
p{color:var(--quiet);text-wrap:pretty}
.actions{display:flex;flex-wrap:wrap;gap:8px;margin-inline-start:auto}
button{font:inherit;font-weight:600;color:var(--text);background:transparent;border:1px solid var(--edge);border-radius:8px;
min-block-size:44px;min-inline-size:44px;padding:8px 16px;cursor:pointer;touch-action:manipulation;-webkit-tap-highlight-color:transparent}
button:hover{background:var(--line)}
button.main{color:var(--accent-text);background:var(--accent);border-color:transparent}
button.main:hover{background:var(--tidings-accent,var(--press))}
button:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:8px}
ol{list-style:none;display:flex;flex-direction:column;gap:8px;margin-block-start:8px;counter-reset:step}
li{display:flex;gap:12px;align-items:flex-start;counter-increment:step}
li::before{content:counter(step);flex:none;inline-size:24px;block-size:24px;border-radius:50%;display:grid;place-items:center;
font-size:12px;font-weight:600;font-variant-numeric:tabular-nums;color:var(--accent);border:1px solid var(--accent)}
ol.pictures{gap:12px 24px;margin-block-start:12px}
.picture{flex:none;inline-size:96px;block-size:72px;color:var(--edge);background:var(--paper);border:1px solid var(--line);border-radius:8px}
.picture .hot{color:var(--accent)}
li span{padding-block-start:1px}
.steps .row{align-items:flex-start}.steps .actions{align-self:flex-end}
.busy{position:absolute;inset:auto 0 -1px;block-size:2px;overflow:hidden}
.busy::after{content:"";position:absolute;inset-block:0;inline-size:30%;background:var(--accent);animation:go 1.4s ease-in-out infinite}
@keyframes go{from{inset-inline-start:-30%}to{inset-inline-start:100%}}
.told{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media (prefers-reduced-motion:no-preference){.panel{animation:come .14s ease-out}@keyframes come{from{opacity:0;transform:translateY(-4px)}}}
@media (prefers-reduced-motion:reduce){.busy::after{animation:none;inline-size:100%}}
@media (forced-colors:active){.panel{border-block-end:1px solid}button.main{border-color:ButtonText}}
@media (max-width:559px){ol{margin-inline-start:-36px}.actions{inline-size:100%;margin:0}.actions button{flex:1 1 auto}}
@media (min-width:760px){ol.pictures{flex-direction:row}ol.pictures li{flex:1 1 0;display:grid;grid-template-columns:24px 1fr;align-content:start}
ol.pictures .picture{grid-area:1/1/auto/-1;inline-size:144px;block-size:108px}
.pictured .words{max-inline-size:none}.pictured .lead{flex-basis:100%}}
@media print{:host{display:none!important}}
`;

/** A sheet made by script needs no leave of a Content-Security-Policy; browsers before 2023 have only the other way. */
export function styled(root: ShadowRoot): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
  } catch {
    const style = document.createElement("style");
    style.nonce = document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce ?? "";
    style.textContent = CSS;
    root.append(style);
  }
}

/** Whether the page is dark where the banner goes: its own background says so, not the person's setting. */
export function isDark(page: Document): boolean {
  const prefers = matchMedia("(prefers-color-scheme: dark)").matches;
  for (const element of [page.body, page.documentElement]) {
    const { backgroundColor } = getComputedStyle(element);
    const light = lightness(backgroundColor);
    if (light !== undefined) return light < 0.5;
  }
  // Nothing is painted: the browser's own canvas, which is dark only for pages that allow it.
  return prefers && /dark/.test(getComputedStyle(page.documentElement).colorScheme);
}

/** How light a computed colour is, from 0 to 1; undefined for one that is transparent or not understood. */
export function lightness(color: string): number | undefined {
  const parts = color.match(/[\d.]+%?/g);
  if (!parts || parts.length < 3) return undefined;
  const number = (at: number): number => parseFloat(parts[at] ?? "") / (parts[at]?.endsWith("%") ? 100 : 1);
  if (parts[3] !== undefined && number(3) < 0.5) return undefined;
  if (/^(ok)?l(ab|ch)\(/.test(color)) return color.startsWith("ok") || parts[0]?.endsWith("%") ? number(0) : number(0) / 100;
  if (!/^rgba?\(/.test(color)) return undefined;
  return (0.2126 * number(0) + 0.7152 * number(1) + 0.0722 * number(2)) / 255;
}
