package monitoring

// The parts of Grafana's classic dashboard JSON that the boards use, as of
// schemaVersion. Field order is the files' order.

// schemaVersion is that of Grafana 10 and 11; newer ones read it too.
const schemaVersion = 39

// Dashboard is one board.
type Dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	Annotations   annotations `json:"annotations"`
	Editable      bool        `json:"editable"`
	FiscalYear    int         `json:"fiscalYearStartMonth"`
	GraphTooltip  int         `json:"graphTooltip"` // 1: the crosshair is shared
	ID            *int        `json:"id"`           // null: Grafana gives one
	Links         []link      `json:"links"`
	Panels        []*Panel    `json:"panels"`
	Refresh       string      `json:"refresh"`
	SchemaVersion int         `json:"schemaVersion"`
	Templating    templating  `json:"templating"`
	Time          timeRange   `json:"time"`
	TimePicker    struct{}    `json:"timepicker"`
	Timezone      string      `json:"timezone"`
	Version       int         `json:"version"`
	WeekStart     string      `json:"weekStart"`
}

type annotations struct {
	List []annotation `json:"list"`
}

type annotation struct {
	BuiltIn    int        `json:"builtIn"`
	Datasource datasource `json:"datasource"`
	Enable     bool       `json:"enable"`
	Hide       bool       `json:"hide"`
	IconColor  string     `json:"iconColor"`
	Name       string     `json:"name"`
	Type       string     `json:"type,omitempty"`

	// Of Prometheus' annotations: a mark where Expr begins to have a series.
	Expr        string `json:"expr,omitempty"`
	Step        string `json:"step,omitempty"`
	TitleFormat string `json:"titleFormat,omitempty"`
	TextFormat  string `json:"textFormat,omitempty"`
	TagKeys     string `json:"tagKeys,omitempty"`
}

type datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type link struct {
	AsDropdown  bool     `json:"asDropdown"`
	Icon        string   `json:"icon"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
	Tags        []string `json:"tags"`
	TargetBlank bool     `json:"targetBlank"`
	Title       string   `json:"title"`
	Tooltip     string   `json:"tooltip"`
	Type        string   `json:"type"`
	URL         string   `json:"url"`
}

type templating struct {
	List []variable `json:"list"`
}

type variable struct {
	Name       string      `json:"name"`
	Label      string      `json:"label"`
	Type       string      `json:"type"`
	Hide       int         `json:"hide"`
	Query      any         `json:"query,omitempty"`
	Definition string      `json:"definition,omitempty"`
	Datasource *datasource `json:"datasource,omitempty"`
	IncludeAll bool        `json:"includeAll"`
	AllValue   string      `json:"allValue,omitempty"`
	Multi      bool        `json:"multi"`
	Current    *current    `json:"current,omitempty"`
	Options    []struct{}  `json:"options"`
	Refresh    int         `json:"refresh,omitempty"` // 2: when the time range changes
	Regex      string      `json:"regex"`
	Sort       int         `json:"sort,omitempty"` // 1: by the alphabet
	Filters    *[]struct{} `json:"filters,omitempty"`
}

type current struct {
	Selected bool `json:"selected"`
	Text     any  `json:"text"`
	Value    any  `json:"value"`
}

type variableQuery struct {
	Query string `json:"query"`
	RefID string `json:"refId"`
}

type timeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Panel is one panel, or with the type "row" the head of those below it.
type Panel struct {
	ID              int          `json:"id"`
	Type            string       `json:"type"`
	Title           string       `json:"title"`
	Description     string       `json:"description,omitempty"`
	Collapsed       *bool        `json:"collapsed,omitempty"` // rows only
	Panels          *[]Panel     `json:"panels,omitempty"`    // rows only
	GridPos         gridPos      `json:"gridPos"`
	Datasource      *datasource  `json:"datasource,omitempty"`
	FieldConfig     *fieldConfig `json:"fieldConfig,omitempty"`
	Options         any          `json:"options,omitempty"`
	Targets         []Target     `json:"targets,omitempty"`
	Transformations []transform  `json:"transformations,omitempty"`
}

type gridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

type fieldConfig struct {
	Defaults  fieldDefaults `json:"defaults"`
	Overrides []override    `json:"overrides"`
}

type fieldDefaults struct {
	Unit       string         `json:"unit"`
	Min        *float64       `json:"min,omitempty"`
	Max        *float64       `json:"max,omitempty"`
	Color      map[string]any `json:"color"`
	Custom     map[string]any `json:"custom,omitempty"`
	Mappings   []struct{}     `json:"mappings"`
	Thresholds thresholds     `json:"thresholds"`
	NoValue    string         `json:"noValue,omitempty"` // what is shown without series
	Links      []dataLink     `json:"links,omitempty"`
}

type thresholds struct {
	Mode  string `json:"mode"`
	Steps []step `json:"steps"`
}

// step is a threshold; the first has no value and is where all begin.
type step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

type dataLink struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

type override struct {
	Matcher    matcher    `json:"matcher"`
	Properties []property `json:"properties"`
}

type matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

type property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

// Target is one query of a panel.
type Target struct {
	Datasource   datasource `json:"datasource"`
	EditorMode   string     `json:"editorMode"`
	Exemplar     bool       `json:"exemplar,omitempty"`
	Expr         string     `json:"expr"`
	Format       string     `json:"format,omitempty"` // "table", "heatmap"; a time series otherwise
	Instant      bool       `json:"instant"`
	LegendFormat string     `json:"legendFormat"`
	Range        bool       `json:"range"`
	RefID        string     `json:"refId"`
}

type transform struct {
	ID      string         `json:"id"`
	Options map[string]any `json:"options"`
}
