"""Reading settings: the only part that touches Dynaconf, the disk and the process environment.

A load goes through these rooms in this order:

    directories         where settings, `.env` and secrets are
    main_files          pass one: whatever may state `inference_config`
    library_files       pass two: the files that it names
    unread_files        what lies beside those files and states something
    override_variables  variables become layers
    unread_variables    variables that nearly are ours are told
    older_spellings     each layer in today's spelling
    masking             each layer with its secrets sealed
    dynaconf_merge      the layers laid over each other
    hidden_defaults     what an application states for all environments, and a packaged table hides
    continued_lists     lists that go on with what is below are settled
    reference_places    references where none can stand
    schema              the shape of the result checked

`loading` runs them, `settings` holds what came of them, and `report` collects what is wrong. The words used here:

    stated   what a layer says, as it says it: a reference, not its answer
    given    what no table states: a name that is the table's key, what a builder found out
    sound    what is left of a table without the keys that have a fault
    sealed   text or a number that holds a secret, wrapped so that nothing shows it
    hidden   out of sight of whoever lists objects, attributes or the frames of a traceback
    shown    what may be printed: references as written, secrets masked
    held     what a source of secrets holds under a name
    foreign  a reference as another tool writes it
    told     a problem that somebody reads, located and in words; before that it is noted
"""
