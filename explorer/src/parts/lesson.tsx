/** The texts of a lesson: four steps, then a question and its answer. */
export type LessonTexts = Readonly<
  Record<
    | "lesson"
    | "lessonShow"
    | "lesson1"
    | "lesson2"
    | "lesson3"
    | "lesson4"
    | "lessonQuestion"
    | "lessonSolution"
    | "lessonAnswer",
    string
  >
>;

export interface LessonProps<State> {
  readonly texts: LessonTexts;
  /** What each step shows: the values that differ from the initial state. */
  readonly states: readonly [Partial<State>, Partial<State>, Partial<State>, Partial<State>];
  readonly onShow: (state: Partial<State>) => void;
}

/** A guided tour of a view for a class: each step has a button that sets the view, and a question ends the tour. */
export function Lesson<State>({ texts, states, onShow }: LessonProps<State>) {
  const steps = [texts.lesson1, texts.lesson2, texts.lesson3, texts.lesson4];
  return (
    <details class="lesson">
      <summary>{texts.lesson}</summary>
      <ol>
        {steps.map((step, i) => (
          <li key={i}>
            <p>{step}</p>
            <button
              type="button"
              onClick={() => {
                onShow(states[i]!);
                scrollTo({ top: 0, behavior: "smooth" });
              }}
            >
              {`${texts.lessonShow} ${i + 1}`}
            </button>
          </li>
        ))}
      </ol>
      <p>
        <strong>{texts.lessonQuestion}</strong>
      </p>
      <details>
        <summary>{texts.lessonSolution}</summary>
        <p>{texts.lessonAnswer}</p>
      </details>
    </details>
  );
}
