/** How bell, switches and toasts look. Colours are the tokens of Tidings; a site may set `--tidings-accent` and the like. */
const TOKENS = `
:host{all:initial;box-sizing:border-box}
*{box-sizing:border-box;margin:0;padding:0}
.tidings{--surface:var(--tidings-surface,#fcfbf9);--raised:#f5f3f0;--text:var(--tidings-text,#27231f);--quiet:var(--tidings-quiet,#625d56);
--line:var(--tidings-line,#e2dfda);--edge:#8a8580;--accent:var(--tidings-accent,#007979);--accent-text:var(--tidings-accent-text,#f8fdfd);
--tint:#e6f1f0;--good:#2d7b44;--bad:#ba3630;--shadow:0 8px 28px rgb(20 16 12/.16);color-scheme:light;color:var(--text);
font:14px/1.5 var(--tidings-font,"Inter Variable",Inter,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif);
text-align:start;overflow-wrap:anywhere;-webkit-text-size-adjust:100%;text-size-adjust:100%}
.dark{--surface:var(--tidings-surface,#24211e);--raised:#2d2926;--text:var(--tidings-text,#e8e6e2);--quiet:var(--tidings-quiet,#a8a49e);
--line:var(--tidings-line,#393632);--edge:#8a8580;--accent:var(--tidings-accent,#50bfbe);--accent-text:var(--tidings-accent-text,#031a1a);
--tint:#20302f;--good:#69c27e;--bad:#f07f77;--shadow:0 8px 28px rgb(0 0 0/.5);color-scheme:dark}
svg{inline-size:20px;block-size:20px;display:block;flex:none}
button,a.open{font:inherit;color:inherit;background:none;border:0;border-radius:8px;cursor:pointer;touch-action:manipulation;-webkit-tap-highlight-color:transparent;text-decoration:none}
.plain{min-block-size:36px;padding:4px 12px;font-weight:600;color:var(--accent)}
.plain:hover{background:var(--tint)}
.icon{inline-size:36px;block-size:36px;display:grid;place-items:center;color:var(--quiet);flex:none}
.icon:hover{background:var(--raised);color:var(--text)}
.told{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
[hidden]{display:none!important}
h2,h3{font:inherit;font-weight:600}h2{outline:0}
.state{padding:40px 24px 44px;display:grid;justify-items:center;gap:4px;text-align:center}
.state svg{inline-size:32px;block-size:32px;color:var(--edge);margin-block-end:8px}
.state p{color:var(--quiet);max-inline-size:34ch;text-wrap:balance}
.state .plain{margin-block-start:8px}
.note{padding:8px 16px;color:var(--quiet);background:var(--raised);border-block-end:1px solid var(--line)}
@media (forced-colors:active){.panel,.toast{border:1px solid}.badge,.dot{forced-color-adjust:none}}
@media print{:host{display:none!important}}
`;

const BELL = `
:host{display:inline-block;position:relative}
.ring{position:relative;inline-size:44px;block-size:44px;display:grid;place-items:center;color:inherit}
.ring svg{inline-size:24px;block-size:24px}
.ring:hover,.ring[aria-expanded=true]{background:color-mix(in srgb,currentColor 9%,transparent)}
.badge{position:absolute;inset-block-start:3px;inset-inline-end:1px;min-inline-size:18px;block-size:18px;padding:0 5px;border-radius:9px;display:grid;place-items:center;
font-size:11px;font-weight:700;line-height:1;font-variant-numeric:tabular-nums;background:var(--accent);color:var(--accent-text)}
.badge.old{background:var(--raised);color:var(--text);outline:1px solid var(--edge);outline-offset:-1px}
.panel{position:absolute;z-index:2147483646;inset-block-start:calc(100% + 8px);inline-size:384px;max-inline-size:calc(100vw - 16px);max-block-size:min(640px,80vh);
display:flex;flex-direction:column;overflow:hidden;background:var(--surface);border:1px solid var(--line);border-radius:8px;box-shadow:var(--shadow)}
.panel.end{inset-inline-end:0}.panel.start{inset-inline-start:0}
.head{display:flex;align-items:center;gap:4px;padding:8px 8px 8px 16px;border-block-end:1px solid var(--line);flex:none}
.head h2{flex:1;min-inline-size:0;font-size:16px;line-height:36px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.head .icon+h2{padding-inline-start:4px}
.scroll{overflow:auto;overscroll-behavior:contain;flex:1 1 auto;min-block-size:0}
ul{list-style:none}
li{position:relative;display:flex;border-block-end:1px solid var(--line)}
li:last-child{border-block-end:0}
li .open{flex:1;min-inline-size:0;display:grid;grid-template-columns:8px 32px 1fr;gap:0 12px;padding:12px 44px 12px 12px;text-align:start;border-radius:0}
li .open:hover{background:var(--raised)}
li .open:focus-visible{outline-offset:-3px}
.dot{inline-size:8px;block-size:8px;border-radius:50%;background:var(--accent);margin-block-start:7px}
.read .dot{visibility:hidden}
.picture{inline-size:32px;block-size:32px;border-radius:8px;object-fit:cover;background:var(--tint);color:var(--accent);display:grid;place-items:center;font-weight:600}
.title{font-weight:600;display:block}
.read .title{font-weight:400}
.body{color:var(--quiet);display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:3;overflow:hidden;white-space:pre-line}
time{color:var(--quiet);font-size:12px;font-variant-numeric:tabular-nums;display:block;margin-block-start:2px}
li .icon{position:absolute;inset-block-start:8px;inset-inline-end:6px;opacity:0}
li:hover .icon,li .icon:focus-visible{opacity:1}
@media (hover:none){li .icon{opacity:1}}
.more{display:grid;padding:8px}
.bone{block-size:12px;border-radius:4px;background:var(--line)}
.bones{display:grid;gap:12px;padding:20px 16px}
.bone:nth-child(3n){inline-size:62%}.bone:nth-child(3n+1){inline-size:88%}
@media (max-width:479px){.panel,.panel.end,.panel.start{position:fixed;inset:auto 8px max(8px,env(safe-area-inset-bottom));inline-size:auto;max-inline-size:none;max-block-size:82vh}}
@media (prefers-reduced-motion:no-preference){.panel{animation:come .14s ease-out}@keyframes come{from{opacity:0;transform:translateY(-4px)}}}
`;

const SWITCHES = `
.switches{background:var(--surface);display:block}
.part{padding:16px}
.part+.part{border-block-start:1px solid var(--line)}
.part p,.row p{color:var(--quiet)}
.device{display:flex;flex-wrap:wrap;gap:8px 16px;align-items:center}
.device>div:first-child{flex:1 1 180px}
.choice{display:inline-flex;border:1px solid var(--edge);border-radius:8px;padding:2px;gap:2px}
.choice button{min-block-size:36px;min-inline-size:52px;padding:4px 12px;font-weight:600;color:var(--quiet);border-radius:6px}
.choice button[aria-pressed=true]{background:var(--accent);color:var(--accent-text)}
.choice button:disabled{cursor:default;opacity:.55}
.device .why{flex-basis:100%;color:var(--bad)}
.grid{display:grid;grid-template-columns:1fr repeat(2,56px)}
.cols{display:contents;color:var(--quiet);font-size:12px}
.cols>*{padding-block-end:4px}
.cols span{text-align:center}
.row{display:contents}
.row>div{padding:10px 12px 10px 0;border-block-start:1px solid var(--line);min-inline-size:0}
.row>.cell{display:grid;place-items:center;padding:0}
.row .always{grid-column:span 2;font-size:12px;color:var(--quiet)}
.group{grid-column:1/-1;padding:16px 0 6px;color:var(--quiet);font-size:12px;font-weight:600}
.row p{font-size:12px}
.toggle{inline-size:44px;block-size:44px;display:grid;place-items:center;border-radius:8px}
.toggle i{inline-size:36px;block-size:20px;border-radius:10px;background:transparent;border:1px solid var(--edge);position:relative}
.toggle i::after{content:"";position:absolute;inset-block:3px;inset-inline-start:3px;inline-size:12px;border-radius:50%;background:var(--edge);transition:translate .12s}
.toggle[aria-checked=true] i{background:var(--accent);border-color:var(--accent)}
.toggle[aria-checked=true] i::after{translate:16px;background:var(--accent-text)}
.line{display:flex;gap:16px;align-items:center}.line>div{flex:1}
.times{display:flex;flex-wrap:wrap;gap:8px 16px;align-items:end;margin-block-start:8px}
.times label{display:grid;gap:2px;font-size:12px;color:var(--quiet)}
.times input{font:inherit;font-size:14px;color:var(--text);background:var(--surface);border:1px solid var(--edge);border-radius:8px;min-block-size:40px;padding:4px 10px;font-variant-numeric:tabular-nums}
.times p{font-size:12px;flex-basis:100%}
.saved{min-block-size:20px;padding:0 16px 12px;font-size:12px;color:var(--quiet)}
.saved.bad{color:var(--bad)}
@media (prefers-reduced-motion:reduce){.toggle i::after{transition:none}}
`;

const TOAST = `
:host{position:fixed;z-index:2147483646;inset-block-end:max(16px,env(safe-area-inset-bottom));inset-inline-end:16px;inline-size:min(360px,calc(100vw - 32px))}
.tidings{display:grid;gap:8px}
.toast{display:flex;align-items:flex-start;gap:4px;background:var(--surface);border:1px solid var(--line);border-inline-start:3px solid var(--accent);border-radius:8px;box-shadow:var(--shadow);padding:4px 4px 4px 0}
.toast .open{flex:1;min-inline-size:0;display:block;padding:8px 4px 8px 14px;text-align:start}
.toast .open:focus-visible{outline-offset:-2px}
.title{font-weight:600;display:block}
.body{color:var(--quiet);display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden}
@media (prefers-reduced-motion:no-preference){.toast{animation:come .14s ease-out}@keyframes come{from{opacity:0;transform:translateY(8px)}}}
`;

export const LOOKS = { bell: TOKENS + SWITCHES + BELL, switches: TOKENS + SWITCHES + ":host{display:block}", toast: TOKENS + TOAST };

/** A sheet made by script needs no leave of a Content-Security-Policy; browsers before 2023 have only the other way. */
export function styled(root: ShadowRoot, look: keyof typeof LOOKS): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(LOOKS[look]);
    root.adoptedStyleSheets = [sheet];
  } catch {
    const style = document.createElement("style");
    style.nonce = document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce ?? "";
    style.textContent = LOOKS[look];
    root.append(style);
  }
}
