//! The vocabularies of other languages: only what is cheap and safe; a later version makes them whole.
//!
//! Entry point: [`OTHERS`]. Words that a language shares with English stand in the English table only.

use super::{Meaning, Slot, Vocabulary};
use crate::signal::Side;

/// All vocabularies but the English one.
pub(super) static OTHERS: [&Vocabulary; 9] =
    [&GERMAN, &SPANISH, &PORTUGUESE, &FRENCH, &TURKISH, &RUSSIAN, &CHINESE, &ARABIC, &PERSIAN];

static GERMAN: Vocabulary = Vocabulary {
    decimal_comma: true,
    phrases: &[
        (Meaning::Label(Slot::Entry), "einstieg | einstiege | einstiegszone"),
        (Meaning::Label(Slot::Target), "ziel | ziele | kursziel | kursziele"),
        (Meaning::Label(Slot::Stop), "stopp | stopp loss"),
        (Meaning::Label(Slot::Leverage), "hebel"),
        (Meaning::Label(Slot::Risk), "risiko"),
        (Meaning::Label(Slot::Side), "richtung"),
        (Meaning::Label(Slot::Decoy), "unterstützung | widerstand"),
        (Meaning::Buy, "kaufen | kaufe | kauf"),
        (Meaning::Sell, "verkaufen | verkaufe | verkauf"),
        (Meaning::Market, "marktpreis | zum marktpreis | jetzt zum marktpreis"),
        (Meaning::Below, "unter | unterhalb"),
        (Meaning::Above, "über | oberhalb"),
        (Meaning::Candle("1d"), "tagesschluss"),
        (Meaning::To, "bis"),
        (Meaning::And, "und"),
        (Meaning::Filler, "auf | bei"),
        (Meaning::Hit, "erreicht | getroffen"),
        (Meaning::BreakEven, "einstand"),
        (Meaning::Move, "nachziehen | verschieben"),
        (Meaning::Isolated, "isoliert"),
        (Meaning::Negation, "nicht | kein | keine"),
        (Meaning::Hedge, "wenn | falls | würde | vielleicht"),
        (Meaning::Close, "schließen | schließe | schliessen"),
        (Meaning::Closed, "geschlossen"),
        (Meaning::Half, "hälfte"),
        (Meaning::Cancel, "storniert | stornieren"),
    ],
};

static SPANISH: Vocabulary = Vocabulary {
    decimal_comma: true,
    phrases: &[
        (Meaning::Label(Slot::Entry), "entrada | entradas | zona de entrada"),
        (Meaning::Label(Slot::Target), "objetivo | objetivos | toma de ganancias | toma de beneficios"),
        (Meaning::Label(Slot::Leverage), "apalancamiento"),
        (Meaning::Label(Slot::Risk), "riesgo"),
        (Meaning::Label(Slot::Pair), "par | moneda"),
        (Meaning::Label(Slot::Side), "dirección | direccion"),
        (Meaning::Side(Side::Long), "largo"),
        (Meaning::Side(Side::Short), "corto"),
        (Meaning::Buy, "compra | comprar"),
        (Meaning::Sell, "venta | vender"),
        (Meaning::Market, "mercado | a mercado"),
        (Meaning::Filler, "señal | nueva | en | el | los | las"),
        (Meaning::Cross, "cruzado | cruzada"),
        (Meaning::Isolated, "aislado | aislada"),
        (Meaning::Hit, "alcanzado | cumplido"),
        (Meaning::Negation, "ningún | sin"),
        (Meaning::Hedge, "si | quizás | alguien"),
        (Meaning::Report, "resumen | resultados"),
        (Meaning::Close, "cerrar | cierra"),
        (Meaning::Closed, "cerramos | cierro | cerrado"),
        (Meaning::All, "todo | todos | todas"),
        (Meaning::Half, "mitad"),
        (Meaning::Cancel, "cancelar | cancelada | cancelado | cancelamos"),
    ],
};

static PORTUGUESE: Vocabulary = Vocabulary {
    decimal_comma: true,
    phrases: &[
        (Meaning::Label(Slot::Target), "alvo | alvos"),
        (Meaning::Label(Slot::Leverage), "alavancagem | alavancagem sugerida"),
        (Meaning::Label(Slot::Timeframe), "tempo gráfico | tempo grafico"),
        (Meaning::Label(Slot::Confidence), "probabilidade"),
        (Meaning::Label(Slot::Risk), "risco"),
        (Meaning::Filler, "lua"),
        (Meaning::Sell, "venda"),
        (Meaning::Hit, "atingido | batido | batidos"),
        (Meaning::Negation, "não | nao"),
        (Meaning::Report, "resultado"),
        (Meaning::Move, "ajustado | ajustada | movido"),
        (Meaning::To, "para"),
        (Meaning::Close, "fechar"),
        (Meaning::Closed, "fechamos | fechado"),
    ],
};

static FRENCH: Vocabulary = Vocabulary {
    decimal_comma: true,
    phrases: &[
        (Meaning::Label(Slot::Entry), "entrée | entrées"),
        (Meaning::Label(Slot::Target), "objectif | objectifs | cible | cibles"),
        (Meaning::Label(Slot::Leverage), "levier"),
        (Meaning::Buy, "achat | acheter"),
        (Meaning::Sell, "vente | vendre"),
        (Meaning::Market, "au marché | marché"),
        (Meaning::Below, "sous"),
        (Meaning::Above, "au dessus"),
        (Meaning::And, "puis | et"),
        (Meaning::Filler, "sur | j'entre"),
        (Meaning::Hit, "touché | atteint"),
        (Meaning::Cross, "croisé"),
        (Meaning::Isolated, "isolé"),
        (Meaning::Negation, "pas | aucun"),
        (Meaning::Part, "sécurise | sécurisez"),
        (Meaning::BreakEven, "l'entrée"),
    ],
};

static TURKISH: Vocabulary = Vocabulary {
    decimal_comma: true,
    phrases: &[
        (Meaning::Label(Slot::Entry), "giriş | giris | giriş bölgesi | giriş fiyatı"),
        (Meaning::Label(Slot::Target), "hedef | hedefler"),
        (Meaning::Label(Slot::Stop), "zarar kes"),
        (Meaning::Label(Slot::Leverage), "kaldıraç | kaldirac"),
        (Meaning::Label(Slot::Pair), "parite"),
        (Meaning::Label(Slot::Side), "işlem | islem | yön"),
        (Meaning::Buy, "alım | alim | al"),
        (Meaning::Sell, "satış | satis"),
        (Meaning::NoStop, "stop yok"),
        (Meaning::Market, "piyasa"),
        (Meaning::Cross, "çapraz"),
        (Meaning::Isolated, "izole"),
        (Meaning::Negation, "değil | yok"),
        (Meaning::Hedge, "olursa | eğer"),
        (Meaning::Move, "çekildi | çekin | çekiyoruz"),
        (Meaning::Cancel, "iptal | emir iptal"),
        (Meaning::Hit, "alındı"),
    ],
};

static RUSSIAN: Vocabulary = Vocabulary {
    decimal_comma: true,
    phrases: &[
        (Meaning::Label(Slot::Entry), "вход | входа | диапазон входа | зона входа | точка входа"),
        (Meaning::Label(Slot::Target), "цель | цели | тейк | тейки | тейк профит"),
        (Meaning::Label(Slot::Stop), "стоп | стоп лосс"),
        (Meaning::Label(Slot::Leverage), "плечо"),
        (Meaning::Label(Slot::Risk), "риск | риск в сделке"),
        (Meaning::Label(Slot::Pair), "монета | пара"),
        (Meaning::Side(Side::Long), "лонг"),
        (Meaning::Side(Side::Short), "шорт"),
        (Meaning::Market, "по рынку"),
        (Meaning::And, "и"),
        (Meaning::Filler, "от | по | на | в"),
        (Meaning::Capital, "депо | депозита"),
        (Meaning::Cross, "кросс"),
        (Meaning::Isolated, "изолированная | изолированный | изол"),
        (Meaning::BreakEven, "б у | бу | безубыток"),
        (Meaning::Negation, "не | нет"),
        (Meaning::Hedge, "если | кто"),
        (Meaning::Close, "закрыть | закрывайте"),
        (Meaning::Closed, "закрываю | закрыл | закрыли | закрываем"),
        (Meaning::Cancel, "отменяем | отмена | отменяю | снимаем"),
        (Meaning::Hit, "взят | взяли | достигнута"),
        (Meaning::Half, "половину | половина"),
        (Meaning::Trade, "лимитку"),
    ],
};

static CHINESE: Vocabulary = Vocabulary {
    decimal_comma: false,
    phrases: &[
        (Meaning::Label(Slot::Entry), "入场 | 进场 | 开仓"),
        (Meaning::Label(Slot::Target), "目标 | 止盈 | 止盈预计"),
        (Meaning::Label(Slot::Stop), "止损 | 止损预计"),
        (Meaning::Label(Slot::Leverage), "杠杆"),
        (Meaning::Side(Side::Long), "做多 | 多单 | 多"),
        (Meaning::Side(Side::Short), "做空 | 空单 | 空"),
        (Meaning::Buy, "买入"),
        (Meaning::Sell, "卖出"),
        (Meaning::Market, "市价 | 现价"),
        (Meaning::Filler, "附近 | 左右 | 预计 | 轻仓"),
        (Meaning::Cross, "全仓"),
        (Meaning::Isolated, "逐仓"),
        (Meaning::Negation, "不要 | 暂不 | 不 | 别"),
        (Meaning::Hedge, "如果 | 等待 | 吗"),
        (Meaning::BreakEven, "成本 | 成本价 | 保本"),
        (Meaning::Move, "移到 | 移 | 放 | 带到"),
        (Meaning::Close, "平仓 | 平"),
        (Meaning::Cancel, "撤掉 | 撤单"),
    ],
};

static ARABIC: Vocabulary = Vocabulary {
    decimal_comma: false,
    phrases: &[
        (Meaning::Label(Slot::Entry), "دخول | الدخول"),
        (Meaning::Label(Slot::Target), "هدف | الهدف | الأهداف | أهداف"),
        (Meaning::Label(Slot::Stop), "وقف الخسارة | وقف"),
        (Meaning::Label(Slot::Leverage), "رافعة | الرافعة"),
        (Meaning::Buy, "شراء"),
        (Meaning::Sell, "بيع"),
        (Meaning::Negation, "لا"),
        (Meaning::Hedge, "إذا"),
        (Meaning::Close, "أغلق | إغلاق"),
    ],
};

static PERSIAN: Vocabulary = Vocabulary {
    decimal_comma: false,
    phrases: &[
        (Meaning::Label(Slot::Entry), "ورود | نقطه ورود"),
        (Meaning::Label(Slot::Target), "تارگت | تارگتها"),
        (Meaning::Label(Slot::Stop), "استاپ | حد ضرر"),
        (Meaning::Label(Slot::Leverage), "اهرم | لوریج"),
        (Meaning::Label(Slot::Side), "پوزیشن"),
        (Meaning::Side(Side::Long), "لانگ"),
        (Meaning::Side(Side::Short), "شورت"),
        (Meaning::Buy, "خرید"),
        (Meaning::Sell, "فروش"),
        (Meaning::Negation, "نکنید"),
        (Meaning::Hedge, "اگر"),
        (Meaning::Hit, "تاچ شد"),
        (Meaning::Nth(1), "اول"),
        (Meaning::Half, "نصف"),
        (Meaning::Close, "ببندید"),
    ],
};
