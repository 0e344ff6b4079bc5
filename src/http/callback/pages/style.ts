/**
 * The one style sheet of all pages, inline and allowed by its hash. No script, no image, no font of its own. Both
 * languages are in the page; which one is seen is decided by two radio buttons and the sibling rules below; without them
 * (document.ts) both are. Plain selectors only: web views of clients are years behind browsers.
 */
export const STYLE = `
:root{color-scheme:light dark;--page:#f2f3f5;--card:#fff;--text:#1f2329;--soft:#50565f;--line:#dee0e3;--accent:#1456f0;
--good:#16803c;--good-back:#e3f6e9;--attention:#9a5b00;--attention-back:#fff1d9;--bad:#c0282d;--bad-back:#fde8e8;
--plain:#50565f;--plain-back:#eceef1;--busy:#1456f0;--busy-back:#e6eeff}
@media (prefers-color-scheme:dark){:root{--page:#141516;--card:#1f2123;--text:#ebecee;--soft:#b1b6bd;--line:#3a3d41;
--accent:#8ab0ff;--good:#6fd890;--good-back:#16321f;--attention:#f5bf62;--attention-back:#3a2c12;--bad:#ff9a98;
--bad-back:#401f20;--plain:#b1b6bd;--plain-back:#2c2f33;--busy:#8ab0ff;--busy-back:#1a2949}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;min-height:100vh;padding:16px;background:var(--page);color:var(--text);
font:17px/1.6 -apple-system,BlinkMacSystemFont,"Segoe UI","PingFang SC","Hiragino Sans GB","Microsoft YaHei",
"Noto Sans CJK SC","Noto Sans SC",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
.choice{position:absolute;width:1px;height:1px;margin:0;opacity:0;overflow:hidden;clip:rect(0 0 0 0)}
header{max-width:560px;margin:0 auto 12px;text-align:right;font-size:15px}
header label{display:inline-block;min-width:44px;padding:9px 14px;border:1px solid transparent;border-radius:22px;
color:var(--soft);cursor:pointer;text-align:center}
#zh:checked~header [for=zh],#en:checked~header [for=en]{border-color:var(--line);background:var(--card);
color:var(--text);font-weight:600;cursor:default}
#zh:focus-visible~header [for=zh],#en:focus-visible~header [for=en]{outline:3px solid var(--accent);outline-offset:2px}
#zh:checked~main .en,#en:checked~main .zh{display:none}
main{max-width:560px;margin:0 auto;padding:28px 24px;border:1px solid var(--line);border-radius:16px;
background:var(--card)}
.icon{display:block;width:56px;height:56px;margin:0 0 18px;border-radius:50%;padding:14px}
.icon svg{display:block;width:28px;height:28px;fill:none;stroke:currentColor;stroke-width:2.5;stroke-linecap:round;
stroke-linejoin:round}
.good .icon{color:var(--good);background:var(--good-back)}
.plain .icon{color:var(--plain);background:var(--plain-back)}
.attention .icon{color:var(--attention);background:var(--attention-back)}
.bad .icon{color:var(--bad);background:var(--bad-back)}
.busy .icon{color:var(--busy);background:var(--busy-back)}
.busy svg{animation:turn 1.2s linear infinite}
@keyframes turn{to{transform:rotate(360deg)}}
@media (prefers-reduced-motion:reduce){.busy svg{animation:none}}
h1{margin:0 0 14px;font-size:24px;line-height:1.35}
section~section{margin-top:36px}
#zh~main section~section,#en~main section~section{margin-top:0}
p{margin:0 0 12px}
ul{margin:0 0 16px;padding-left:1.3em}
li{margin:4px 0}
.next{margin:20px 0 0;padding:16px 0 0;border-top:1px solid var(--line)}
.next p:last-child{margin-bottom:0}
.next p:first-child{font-weight:600}
.support{margin:22px -8px -12px;padding:14px 16px;border-radius:10px;background:var(--page);color:var(--soft);
font-size:14px;line-height:1.5}
h2{margin:0 0 6px;font-size:14px;font-weight:600}
dl{margin:0}
dt{margin-top:6px}
dd{margin:0;color:var(--text)}
@media (min-width:640px){body{padding-top:64px}main{padding:40px 40px 36px}h1{font-size:28px}}
`;
