export const progress = (main) => main.replaceChildren();
