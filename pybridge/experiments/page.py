def render(experiments, tables, machine):
    return ""
