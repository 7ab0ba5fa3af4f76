// The look of a report: one style sheet inside the page, for light and dark screens and for paper.

extension Report {
  static let style = """
    :root{--bg:#fff;--ink:#1b2330;--soft:#5b6675;--rule:#e3e7ed;--tile:#f6f8fb;--link:#1f6feb;--good:#0b7a5a;--warn:#9a5b00;--bad:#b42318}
    @media (prefers-color-scheme:dark){:root{--bg:#12171f;--ink:#e8ecf2;--soft:#9aa5b5;--rule:#2c3543;--tile:#1a212c;
      --link:#6ea8ff;--good:#4fd1a5;--warn:#f0b429;--bad:#ff8a80}}
    *{box-sizing:border-box}
    body{margin:0 auto;max-width:60rem;padding:2.5rem 1.5rem 4rem;background:var(--bg);color:var(--ink);
      font:16px/1.6 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}
    h1{font-size:2rem;line-height:1.2;margin:0 0 .3rem;letter-spacing:-.015em}
    h2{font-size:1.35rem;margin:2.6rem 0 .8rem;padding-top:1rem;border-top:1px solid var(--rule)}
    h3{font-size:1.08rem;margin:1.8rem 0 .5rem}
    h4{font-size:1rem;margin:1.4rem 0 .4rem}
    p{margin:.7rem 0;max-width:46rem}
    .subtitle{color:var(--soft);font-size:1.05rem;margin:0}
    nav{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;margin:1.2rem 0 0;font-size:.92rem}
    a{color:var(--link);text-decoration:none}
    a:hover{text-decoration:underline}
    .facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.8rem;margin:1.2rem 0}
    .fact{background:var(--tile);border:1px solid var(--rule);border-radius:.6rem;padding:.8rem 1rem;display:flex;flex-direction:column}
    .fact .label{color:var(--soft);font-size:.82rem}
    .fact .value{font-size:1.35rem;white-space:nowrap;font-weight:650;font-variant-numeric:tabular-nums;line-height:1.3}
    .fact .detail{color:var(--soft);font-size:.82rem}
    .fact.good .value{color:var(--good)} .fact.warning .value{color:var(--warn)} .fact.bad .value{color:var(--bad)}
    figure{margin:1.4rem 0}
    figcaption{color:var(--soft);font-size:.88rem;margin-top:.5rem;max-width:46rem}
    .wide{overflow-x:auto}
    table{border-collapse:collapse;width:100%;font-size:.92rem}
    th,td{padding:.42rem .7rem;text-align:left;border-bottom:1px solid var(--rule);vertical-align:top}
    th{color:var(--soft);font-weight:600;font-size:.82rem;border-bottom-width:2px;white-space:nowrap}
    th.n,td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
    tbody tr:hover{background:var(--tile)}
    img{max-width:100%}
    .chart svg.plot{width:100%}
    .note{border-left:4px solid var(--soft);background:var(--tile);padding:.7rem 1rem;margin:1.2rem 0;
      border-radius:0 .5rem .5rem 0;max-width:48rem;white-space:pre-line}
    .note.good{border-color:var(--good)} .note.warning{border-color:var(--warn)} .note.bad{border-color:var(--bad)}
    pre{background:var(--tile);border:1px solid var(--rule);border-radius:.5rem;padding:.8rem 1rem;overflow-x:auto;
      font-size:.86rem;line-height:1.45}
    @media print{:root{--bg:#fff;--ink:#000;--soft:#444;--rule:#ccc;--tile:#f7f7f7;--good:#064;--warn:#730;--bad:#800}
      body{max-width:none;padding:0;font-size:10pt} nav{display:none} p,.note,figcaption{max-width:none}
      .wide{overflow:visible} table{font-size:8.5pt} th{white-space:normal} th,td{padding:.3rem .45rem} td{overflow-wrap:anywhere}
      .fact .value{font-size:1.15rem}
      figure,.fact,.note,tr{break-inside:avoid} h2,h3{break-after:avoid} .language+.language{break-before:page}}
    """
}
