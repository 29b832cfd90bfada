export const desk = (main) => main.replaceChildren();
