import * as z from 'zod'
import { invalidField, notFound, Problem } from '../http/problem.ts'
import { createRouter, operation } from '../http/route.ts'
import { idParams, named, textId } from '../http/schema.ts'
import type { Services } from '../http/services.ts'
import { listExists } from '../lists/store.ts'
import { NAME_FIELDS, signupForm } from '../pages/signup-form.ts'
import { chooseWords, LANGUAGES } from '../pages/words/choose.ts'
import { formOf, nameFields } from './form.ts'
import { findPublicLists } from './receive.ts'
import { MOST_LISTS } from './schema.ts'

const formQuery = z.strictObject({
  also: z
    .string()
    .max(400)
    .transform((text) => text.split(','))
    .pipe(z.array(textId).max(MOST_LISTS - 1))
    .optional()
    .openapi({ type: 'string', description: 'More public lists to choose from, comma separated', example: '2,3' }),
  fields: z
    .string()
    .regex(
      new RegExp(`^(?:${NAME_FIELDS.join('|')})(?:,(?:${NAME_FIELDS.join('|')}))*$`),
      `must be of ${NAME_FIELDS.join(', ')}`,
    )
    .optional()
    .openapi({ description: 'What to ask for beside the address, comma separated', example: 'first_name,last_name' }),
  lang: z
    .enum(LANGUAGES.map(({ language }) => language))
    .optional()
    .openapi({
      description: 'Of its labels, and of the mails to whoever fills it in; left out, their browser says that',
    }),
})

const signupFormAnswer = named(
  'SignupForm',
  z.strictObject({
    html: z.string().openapi({ description: 'To be pasted into a page: plain HTML that needs no script' }),
    url: z.string().openapi({ description: 'The form as a page of ours' }),
  }),
)

const form = operation(
  { scope: 'read' },
  {
    method: 'get',
    path: '/lists/{id}/form',
    tags: ['Mailing lists'],
    summary: 'Get the sign-up form of a public list',
    description: 'After the wording of a list was changed, paste its form anew: people agree to what they read.',
    request: { params: idParams, query: formQuery },
    responses: { 200: { description: 'The form', content: { 'application/json': { schema: signupFormAnswer } } } },
  },
)

export function signupRoutes(s: Services) {
  const router = createRouter()

  router.openapi(form, async (c) => {
    const { id } = c.req.valid('param')
    const { also = [], fields, lang } = c.req.valid('query')
    const lists = await findPublicLists(s.db, [...new Set([id, ...also])])
    if (!lists) {
      if (!(await listExists(s.db, id))) throw notFound('mailing list', id)
      if (!(await findPublicLists(s.db, [id]))) {
        throw new Problem('wrong_status', `Mailing list ${id} is private: set its visibility to public first.`)
      }
      throw invalidField('also', 'names a list that is private or not there')
    }
    const html = signupForm(
      formOf(s, lists, nameFields(fields), {
        embedded_by: s.public_url,
        source: null,
        locale: lang ?? null,
      }),
      chooseWords(lang),
    )
    return c.json({ html, url: `${s.public_url}/subscribe/${id}` }, 200)
  })

  return router
}
