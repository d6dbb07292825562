"""Who may do what: by files of rules, by address, by table (openser 1.3 module permissions)."""
