/** A file as text, which Vite brings into workerd. */
declare module '*.eml?raw' {
  const text: string
  export default text
}
