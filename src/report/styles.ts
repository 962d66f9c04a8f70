import { FONT } from "../draw/index.js";

/** The style sheet of report pages, for light and dark mode, from 360 px up. */
export const STYLES = `
:root{color-scheme:light dark;--page:#f6f6f3;--card:#fff;--ink:#1a1d23;--muted:#575d68;--line:#dfe1e4;--accent:#1767a3;--good:#0a7a56;--bad:#b3400a;--tint:#eef3f7;--picture:#0d0f13;--silent:#0d0f13}
@media (prefers-color-scheme:dark){:root{--page:#101216;--card:#171a20;--ink:#e8eaed;--muted:#a2a9b4;--line:#2c313a;--accent:#6cb6ec;--good:#4cc79b;--bad:#f0935a;--tint:#1c232c}}
html[data-palette="two-hue"]{--silent:#787878}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-padding-top:16px}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.6 ${FONT};overflow-wrap:break-word}
.column{max-width:1000px;margin:0 auto;padding:0 24px}
.ribbon{height:6px}
.masthead{background:var(--card);border-bottom:1px solid var(--line);margin-bottom:8px}
.masthead .column{padding-top:36px;padding-bottom:20px}
h1{font-size:clamp(1.7rem,1.2rem + 2.4vw,2.6rem);line-height:1.15;letter-spacing:-.02em;margin:0 0 10px;text-wrap:balance}
h2{font-size:1.45rem;line-height:1.25;letter-spacing:-.01em;margin:0 0 8px}
h3{font-size:1.06rem;line-height:1.3;margin:0}
p{margin:0 0 12px;max-width:72ch}
a{color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:3px}
.skip{position:absolute;left:-999px;top:0;background:var(--card);padding:8px 12px;z-index:9}
.skip:focus{left:8px}
.subtitle{font-size:1.1rem;color:var(--muted);margin-bottom:14px}
.facts{list-style:none;display:flex;flex-wrap:wrap;gap:6px 8px;margin:0 0 16px;padding:0}
.facts li{font-size:.84rem;padding:2px 10px;border:1px solid var(--line);border-radius:99px;color:var(--muted);background:var(--page)}
nav ul{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:4px 18px;font-size:.93rem}
nav a{text-decoration:none;display:inline-block;padding:3px 0}
nav a:hover{text-decoration:underline}
section{margin:44px 0}
section section,article{margin:0}
.lead{color:var(--muted);margin-bottom:18px}
#summary .lead{color:var(--ink);font-size:1.1rem}
.figure{margin:18px 0;padding:20px 20px 14px;background:var(--card);border:1px solid var(--line);border-radius:10px}
.figure figcaption{font-size:.9rem;line-height:1.5;color:var(--muted);margin-top:12px;max-width:80ch}
.figure figcaption b,.lead b{color:var(--ink)}
.wide>svg,.narrow>svg{display:block;width:100%;height:auto;margin:0 auto}
.chart .narrow{display:none}
.chart h3{margin:0 0 8px;font-size:.95rem}
.multiples{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,270px),1fr));gap:22px 18px}
.multiples h3{padding-left:8px}
.series{list-style:none;display:flex;flex-wrap:wrap;gap:4px 22px;margin:0 0 16px;padding:0 8px;font-size:.88rem}
.series svg{flex:none}
.series li{display:flex;gap:8px;align-items:center}
.scroll tbody th{min-width:220px}
@media (max-width:640px){.column{padding:0 14px}.figure{padding:14px 10px 10px}.chart .wide{display:none}.chart .narrow{display:block}section{margin:34px 0}.figure figcaption{padding:0 4px}}
@media (max-width:520px){.scroll tbody th{min-width:138px}.scroll .swatch{margin-right:.35em}}
.more{margin-top:10px;font-size:.88rem}
.more>summary{color:var(--muted);cursor:pointer;padding:2px 0}
.more pre{max-height:320px;overflow:auto;background:var(--page);border:1px solid var(--line);border-radius:6px;padding:10px;font-size:.76rem;line-height:1.45;white-space:pre-wrap;overflow-wrap:anywhere}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:10px;margin:18px 0 10px}
table{border-collapse:collapse;width:100%;font-size:.93rem;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:14px 10px 4px;font-weight:600}
caption span{display:block;max-width:calc(100vw - 64px)}
th,td{padding:10px;text-align:right;vertical-align:top;border-top:1px solid var(--line);white-space:nowrap}
thead th{border-top:0;color:var(--muted);font-weight:600;font-size:.84rem;vertical-align:bottom;white-space:normal;min-width:92px;line-height:1.35}
th:first-child{text-align:left;position:sticky;left:0;background:var(--card);z-index:1}
tbody th{font-weight:600;white-space:normal;min-width:112px}
.foreign{background:var(--tint);border-left:2px solid var(--line)}
td small,th small{display:block;color:var(--muted);font-weight:400;font-size:.8rem;line-height:1.35}
thead th small{margin-top:2px}
.spread{color:var(--muted)}
.seeds summary{cursor:pointer;list-style:none;text-decoration:underline dotted var(--muted) 1px;text-underline-offset:4px}
.seeds summary::-webkit-details-marker{display:none}
.seeds ul{list-style:none;margin:4px 0 0;padding:0;font-size:.8rem;color:var(--muted);line-height:1.5}
.swatch{display:inline-block;width:.72em;height:.72em;border-radius:2px;margin-right:.5em;vertical-align:-.02em}
.note{border-left:4px solid var(--accent);background:var(--tint);padding:10px 16px;border-radius:0 8px 8px 0;margin:16px 0;font-size:.94rem;max-width:80ch}
.note.caution{border-color:var(--bad)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:18px 0;padding:0;list-style:none}
.card{background:var(--card);border:1px solid var(--line);border-top:4px solid var(--mark);border-radius:8px;padding:12px 16px 10px;line-height:1.35}
.card .big{display:block;font-size:2.1rem;font-weight:700;letter-spacing:-.02em;font-variant-numeric:tabular-nums;line-height:1.2}
.card .big small{font-size:1rem;font-weight:500;color:var(--muted);letter-spacing:0}
.card .name{font-weight:600}
.card .aside{display:block;font-size:.82rem;color:var(--muted);margin-top:4px}
.verdicts{list-style:none;margin:18px 0;padding:0;display:grid;gap:10px}
.verdicts li{display:grid;grid-template-columns:7.4em 1fr;gap:4px 14px;align-items:baseline}
.mark{font-size:.8rem;font-weight:700;padding:2px 9px;border-radius:99px;border:1.5px solid currentColor;white-space:nowrap;text-align:center}
.mark.holds{color:var(--good)}.mark.reversed{color:var(--bad)}.mark.undecided{color:var(--muted)}
@media (max-width:520px){.verdicts li{grid-template-columns:1fr;justify-items:start}.card{padding:10px 12px 8px}.card .big{font-size:1.8rem}}
.provenance{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,300px),1fr));gap:0 28px;margin:0}
.provenance div{border-top:1px solid var(--line);padding:8px 0;min-width:0}
.provenance dt{font-size:.82rem;color:var(--muted)}
.provenance dd{margin:0;overflow-wrap:anywhere}
code{font:.88em/1.5 ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace;background:var(--tint);padding:.1em .35em;border-radius:4px}
.legend{display:flex;flex-wrap:wrap;gap:14px 24px;align-items:center;margin:18px 0;padding:14px 20px;background:var(--card);border:1px solid var(--line);border-radius:10px;font-size:.92rem}
.legend .wheel{flex:none;width:132px;height:132px}
.legend .wheel svg{display:block;width:100%;height:100%}
.legend .wheel-two-hue,html[data-palette="two-hue"] .legend .wheel-uniform{display:none}
html[data-palette="two-hue"] .legend .wheel-two-hue{display:block}
.legend .words{flex:1 1 260px}
.legend fieldset{border:0;margin:8px 0 0;padding:0;display:flex;flex-wrap:wrap;gap:4px 18px}
.legend legend{padding:0;color:var(--muted);font-size:.86rem}
.legend label{display:inline-flex;gap:6px;align-items:center;cursor:pointer;padding:2px 0}
.player{margin:18px 0;padding:18px 20px;background:var(--card);border:1px solid var(--line);border-radius:10px}
.player header{display:flex;flex-wrap:wrap;gap:4px 16px;align-items:baseline;margin-bottom:12px}
.player header p{margin:0;color:var(--muted);font-size:.92rem}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(132px,206px));gap:6px 16px}
.panel{margin:0 0 10px;min-width:0;display:grid;grid-row:span 3;grid-template-rows:subgrid;align-content:start}
.panel .tile{display:block;border-radius:6px;overflow:hidden;aspect-ratio:1;background:var(--picture)}
.panel .tile.phase{background:var(--silent)}
.tile img,.tile canvas,.strip img{display:block;width:100%;height:100%;image-rendering:pixelated}
.panel .polar{display:block;border-radius:6px;background:#0d0f13}
.panel .polar svg{display:block;width:100%;height:auto}
.panel figcaption{font-size:.88rem;line-height:1.4;align-self:end}
.panel figcaption b{display:block}
.panel figcaption span{color:var(--muted)}
.right{color:var(--good)!important;font-weight:600}.wrong{color:var(--bad)!important;font-weight:600}
.controls{display:flex;flex-wrap:wrap;gap:10px 14px;align-items:center;margin:14px 0 4px}
.controls[hidden]{display:none}
.controls button{font:inherit;font-weight:600;min-width:92px;padding:7px 16px;border-radius:99px;border:1px solid var(--accent);background:var(--accent);color:var(--card);cursor:pointer}
.controls input{flex:1 1 150px;min-width:0;accent-color:var(--accent);height:28px}
.controls output{font-variant-numeric:tabular-nums;min-width:8.2em;font-size:.92rem}
.readout{font-size:.84rem;color:var(--muted);min-height:1.5em;margin:4px 0 8px;font-variant-numeric:tabular-nums}
.strip{overflow-x:auto}
.strip table{font-size:.8rem;width:auto;min-width:100%}
.strip th,.strip td{border:0;padding:2px;text-align:center;font-weight:400;color:var(--muted);min-width:0;vertical-align:middle}
.strip thead th{padding-bottom:4px;min-width:0}
.strip tbody th{text-align:left;white-space:normal;padding-right:10px;min-width:86px;line-height:1.25;font-weight:600;color:var(--ink)}
.strip td{min-width:50px}
.strip td>span{display:block;background:var(--silent);border-radius:3px;overflow:hidden;aspect-ratio:1}
.strip td.now>span{box-shadow:0 0 0 2px var(--accent)}
.channels{display:grid;grid-template-columns:repeat(auto-fill,minmax(90px,1fr));gap:8px;margin-top:10px;max-width:820px}
.channels figure{margin:0}.channels figcaption{font-size:.78rem;color:var(--muted)}
.channels span{display:block;background:var(--silent);border-radius:4px;overflow:hidden;aspect-ratio:1}
.channels img{display:block;width:100%;height:100%;image-rendering:pixelated}
.key{display:inline-flex;gap:5px;align-items:center;margin-right:12px;white-space:nowrap}
.key i{width:10px;height:10px;border-radius:50%;display:inline-block}
@media print{.controls,nav,.skip{display:none}.figure,.player,.scroll{break-inside:avoid}body{background:#fff}}
`;
