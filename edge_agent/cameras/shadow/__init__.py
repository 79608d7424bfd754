"""Those who look over a camera's shoulder and decide nothing: witnesses, candidate models."""
