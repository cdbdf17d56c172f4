// A Worker that saves and renders a template, and says what workerd thinks of generated code.
import Handlebars from 'handlebars'
import { createEnvironment } from '../../src/render/handlebars/environment.ts'
import { type Content, prepareContent } from '../../src/render/render.ts'
import { plainLinks } from '../../src/render/splice.ts'
import { compileTemplate, type TemplateSource } from '../../src/templates/compile.ts'
import { TemplateError } from '../../src/templates/errors.ts'
import { CASES } from '../unit/render/handlebars_cases.ts'
import { type Engine, run } from '../unit/render/handlebars_run.ts'

interface Job {
  template: TemplateSource
  subject: string
  data: object
  tracking: { pixel: string; click: string }
}

const NONE = { pixel: '', click: '' }

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/eval') return Response.json({ upstream: attempt(() => Handlebars.compile('{{a}}')({ a: 1 })) })
    if (pathname === '/cases') {
      const outcomes = Object.entries(CASES).map(([name, cases]) => [
        name,
        cases.map((entry) => run(createEnvironment() as Engine, entry)),
      ])
      return Response.json(Object.fromEntries(outcomes))
    }
    if (pathname === '/render') {
      const jobs = (await request.json()) as { content: Content; data: object }[]
      return Response.json(jobs.map(({ content, data }) => prepareContent(content).render(data, NONE).html))
    }
    const { template, subject, data, tracking } = (await request.json()) as Job
    try {
      const compiled = await compileTemplate(template)
      const content: Content = {
        subject,
        preheader: '',
        html: plainLinks(compiled.html, compiled.links, 'html'),
        text: plainLinks(compiled.text, compiled.links, 'text'),
      }
      const renderer = prepareContent(content)
      return Response.json({
        links: compiled.links,
        warnings: compiled.warnings,
        mail: renderer.render(data, tracking),
      })
    } catch (error) {
      if (error instanceof TemplateError) return Response.json({ problems: error.problems })
      return Response.json({ error: String(error) }, { status: 500 })
    }
  },
}

function attempt(work: () => string): string {
  try {
    return work()
  } catch (error) {
    return (error as Error).name
  }
}
