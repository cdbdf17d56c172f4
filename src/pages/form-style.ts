/** What pages with forms, a header and a footer have beside STYLE. `--mark` is for what is thin: edges, links and ticks. */
export const FORM_STYLE = `
:root { --mark: var(--act) }
body { align-content: center; gap: 1rem; overflow-wrap: anywhere }
main { max-width: 36rem }
body > header { text-align: center }
body > header p { margin: 0; font-size: 1.25rem; font-weight: 600 }
body > header img { display: block; max-width: 100%; height: auto; max-height: 4rem }
footer p { margin: 0 }
footer a { margin: 0 .5rem }
a { color: var(--mark) }
a:focus-visible, input:focus-visible, textarea:focus-visible, select:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px }
button { border-color: var(--mark) }
button:focus-visible { outline-color: var(--mark) }
h2 { margin: 2rem 0 .5rem; padding-top: 1.5rem; border-top: 1px solid var(--line); font-size: 1.125rem; line-height: 1.25 }
fieldset { min-width: 0; margin: 0 0 1.5rem; padding: 0; border: 0 }
legend { padding: 0; margin-bottom: .5rem; font-weight: 600 }
label { display: block; font-weight: 600 }
label.choice { display: grid; grid-template-columns: 1.25rem 1fr; gap: 0 .75rem; padding: .625rem 0; font-weight: 400; cursor: pointer }
label.choice strong, label.choice span { grid-column: 2 }
label.choice .soft { line-height: 1.4 }
input, textarea, select { font: inherit; color: inherit }
input[type=checkbox], input[type=radio] { width: 1.25rem; height: 1.25rem; margin: .1875rem 0 0; accent-color: var(--mark) }
input[type=email], input[type=text], select, textarea { width: 100%; min-height: 2.75rem; margin: .25rem 0 1rem; padding: .5rem .75rem; border: 1px solid var(--soft); border-radius: .5rem; background: var(--card) }
.notice { padding: .75rem 1rem; border-left: 4px solid var(--mark); background: var(--page) }
`
