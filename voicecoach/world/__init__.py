"""The outside: sound, ears, voices, models. Each port has a real form and a fake one."""
