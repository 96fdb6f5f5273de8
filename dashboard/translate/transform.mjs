// How sources are read: wuchale's own visitors, with what our sources need beside them.
import { pluralPattern, Transformer } from 'wuchale/adapter-vanilla'

import { isCodeAttribute, isText } from './texts.mjs'

// The package exports its adapter only, which cannot be extended.
const { SvelteTransformer } = await import(new URL('./transformer.js', import.meta.resolve('@wuchale/svelte')))

const COMPARES = new Set(['===', '!==', '==', '!=', 'in', 'instanceof'])

/** The names under which the loader is imported where there is a text: `_t("rest")(12)` reads text 12 of a catalogue. */
export const LOADER = { plain: '_t', reactive: '_t_unused' }

/** A language is chosen once for a page, so that nothing here is reactive or kept in a variable. */
export function runtime(read = `${LOADER.plain}()`) {
  const wrapped = { wrapInit: (expression) => expression, wrapUse: () => read }
  return { initReactive: () => null, useReactive: false, plain: wrapped, reactive: wrapped }
}

/** Leave alone what is compared and what names a property; read what is thrown and what a class is made with. */
function widened(one) {
  one.initRuntime = () => ''
  const side = (node) => (node.type === 'Literal' ? [] : one.visit(node))
  one.visitBinaryExpression = (node) => (COMPARES.has(node.operator) ? [...side(node.left), ...side(node.right)] : [...one.visit(node.left), ...one.visit(node.right)])
  one.visitSwitchCase = (node) => [...(node.test ? side(node.test) : []), ...node.consequent.flatMap(one.visit)]
  one.visitProperty = (node) => [...(node.computed ? side(node.key) : []), ...one.visit(node.value)]
  one.visitMemberExpression = (node) => [...one.visit(node.object), ...(node.computed ? side(node.property) : [])]
  one.visitThrowStatement = (node) => one.visit(node.argument)
  one.visitTSNonNullExpression = (node) => one.visit(node.expression)
  one.visitNewExpression = (node) => [...one.visit(node.callee), ...node.arguments.flatMap(one.visit)]
  const visitClass = one.visitClassDeclaration
  one.visitClassDeclaration = (node) => {
    const fields = node.body.body.filter((part) => part.type === 'PropertyDefinition' && part.value)
    return [...visitClass(node), ...fields.flatMap((part) => one.visit(part.value))]
  }
  // wuchale takes texts that differ in outer spaces for the same; a context tells them apart.
  const spaced = (visit, isSpaced) => (node, details) => {
    if (!isSpaced(node)) return visit(node, details)
    const { context } = one.commentDirectives
    one.commentDirectives.context = 'spaced'
    const messages = visit(node, details)
    one.commentDirectives.context = context
    return messages
  }
  one.visitLiteral = spaced(one.visitLiteral, ({ value }) => typeof value === 'string' && value !== value.trim())
  one.visitTemplateLiteral = spaced(one.visitTemplateLiteral, ({ quasis }) => /^\s/.test(quasis[0].value.cooked) || /\s$/.test(quasis.at(-1).value.cooked))
  if (one.visitAttribute) {
    const visitAttribute = one.visitAttribute
    one.visitAttribute = (node) => (isCodeAttribute(node.name, one.currentElement) ? [] : visitAttribute(node))
    // Without reactivity a constant need not become derived.
    one.visitVariableDeclarator = one.defaultVisitVariableDeclarator
    one.visitSvelteElement = one.visitRegularElement
  }
  return one
}

/** The transform of wuchale's adapter for both kinds of files. */
export function transform({ content, filename, index, expr, matchUrl }) {
  const Reader = filename.endsWith('.svelte') ? SvelteTransformer : Transformer
  const one = widened(new Reader(content, filename, index, isText, [pluralPattern], expr, runtime(expr.plain), matchUrl))
  return filename.endsWith('.svelte') ? one.transformSv() : one.transform()
}
