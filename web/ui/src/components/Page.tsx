import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

interface Props {
  /** The document's title, before "slowburn". */
  title: string;
  heading: ComponentChildren;
  /** Above the heading: the page above this one. */
  above?: ComponentChildren;
  /** Right of the heading. */
  aside?: ComponentChildren;
  wide?: boolean;
  children: ComponentChildren;
}

/** One screen: a title, a heading that takes the focus after a navigation, the content. */
export function Page({ title, heading, above, aside, wide, children }: Props) {
  useEffect(() => {
    document.title = `${title} · slowburn`;
  }, [title]);
  return (
    <main id="main" class={wide ? "screen wide" : "screen"}>
      <header class="page-head">
        <div>
          {above && <p class="above">{above}</p>}
          <h1 tabIndex={-1}>{heading}</h1>
        </div>
        {aside && <div class="page-aside">{aside}</div>}
      </header>
      {children}
    </main>
  );
}
